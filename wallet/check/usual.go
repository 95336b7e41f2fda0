package check

import (
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// UsualOffer is what a recipient with go-livepeer's usual settings would offer an account now.
type UsualOffer struct {
	// Terms are the usual settings.
	Terms pm.TicketParamsConfig

	// EV is the expected value of its tickets.
	EV wei.Wei

	// FaceValue is its face value; if it refuses, the highest possible one.
	FaceValue wei.Wei

	// WantedFaceValue is its face value for a sender with any reserve.
	WantedFaceValue wei.Wei

	// MaxFloat is the highest face value for a recipient that has claimed nothing in this round and
	// has no tickets in flight.
	MaxFloat wei.Wei

	// Refused is why there is no offer; nil if there is one.
	Refused error
}

// Usual returns the usual offer for an account's state.
func Usual(s *chain.Status) UsualOffer {
	terms, gasPrice := usualTerms(s), s.GasPrice.Big()
	faceValue, err := terms.FaceValue(gasPrice, s.ReservePerRecipient.Big(), nil)
	enough := new(big.Int).Lsh(big.NewInt(1), 200)
	wanted, _ := terms.FaceValue(gasPrice, enough, nil)
	offer := UsualOffer{Terms: terms, EV: weiOf(terms.EV), FaceValue: weiOf(faceValue), WantedFaceValue: weiOf(wanted), MaxFloat: s.ReservePerRecipient}
	if err != nil {
		offer.Refused = fmt.Errorf("%w: max float is %s, a redemption costs %s at %s per unit of gas", err, offer.MaxFloat, amount(terms.TxCost(gasPrice)), s.GasPrice)
	}
	return offer
}

// usualTerms are the default settings of recipients.
func usualTerms(s *chain.Status) pm.TicketParamsConfig {
	const (
		redeemGas         = 350_000
		redeemGasArbitrum = 1_200_000
	)
	c := pm.TicketParamsConfig{EV: big.NewInt(8_000_000_000), RedeemGas: redeemGas, TxCostMultiplier: 100}
	if s.Head.L1Block != s.Head.Number {
		c.RedeemGas = redeemGasArbitrum
	}
	return c
}

// weiOf returns an amount known to fit: at most max float, or 2^200.
func weiOf(v *big.Int) wei.Wei {
	amount, err := wei.FromBig(v)
	if err != nil {
		return wei.Wei{}
	}
	return amount
}
