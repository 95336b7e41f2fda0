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
		{"ev_per_day", "EV per day", "ev-per-day", "limit the expected value (EV) of a day's tickets to `AMOUNT`",
			func(t *wallet.SignerTerms) **wei.Wei { return &t.EVPerDay }},
		{"face_value_per_day", "face value per day", "face-value-per-day", "limit the face value of a day's tickets to `AMOUNT`: the cost if every ticket wins",
			func(t *wallet.SignerTerms) **wei.Wei { return &t.FaceValuePerDay }},
		{"ev_total", "total EV", "ev-total", "limit the expected value (EV) of all tickets to `AMOUNT`",
			func(t *wallet.SignerTerms) **wei.Wei { return &t.EVTotal }},
	}
}
