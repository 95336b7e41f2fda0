package signer

import (
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// allowance is a bound of what a client may have signed.
type allowance struct {
	// name is its name in documents, and in the signer's refusals.
	name string

	label, flag, usage string

	of func(*wallet.SignerTerms) **wei.Wei
}

func allowances() []allowance {
	return []allowance{
		{"ev_per_day", "EV per day", "ev-per-day", "most expected value a day, an `AMOUNT`",
			func(t *wallet.SignerTerms) **wei.Wei { return &t.EVPerDay }},
		{"face_value_per_day", "face value per day", "face-value-per-day", "most face value a day, an `AMOUNT`: the cost if every ticket wins",
			func(t *wallet.SignerTerms) **wei.Wei { return &t.FaceValuePerDay }},
		{"ev_total", "EV in all", "ev-total", "most expected value in all, an `AMOUNT`",
			func(t *wallet.SignerTerms) **wei.Wei { return &t.EVTotal }},
	}
}
