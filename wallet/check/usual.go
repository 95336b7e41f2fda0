package check

import (
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// UsualOffer is what a recipient with the deployed node's usual settings would ask of an
// account at this moment.
type UsualOffer struct {
	// Terms are the usual settings.
	Terms pm.TicketParamsConfig

	// EV is what a ticket would be worth to it.
	EV wei.Wei

	// FaceValue is what it would ask for; without an offer, the most it could.
	FaceValue wei.Wei

	// WantedFaceValue is what it would ask of a sender with any reserve.
	WantedFaceValue wei.Wei

	// MaxFloat is the most that one ticket may be worth to it, if it has claimed nothing
	// in this round and nothing of the sender's is in flight.
	MaxFloat wei.Wei

	// Refused says why there is no offer; nil when there is one.
	Refused error
}

// Usual is the offer for what the chain says of an account.
func Usual(s *chain.Status) UsualOffer {
	terms, gasPrice := usualTerms(s), s.GasPrice.Big()
	faceValue, err := terms.FaceValue(gasPrice, s.ReservePerRecipient.Big(), nil)
	enough := new(big.Int).Lsh(big.NewInt(1), 200)
	wanted, _ := terms.FaceValue(gasPrice, enough, nil)
	offer := UsualOffer{Terms: terms, EV: weiOf(terms.EV), FaceValue: weiOf(faceValue), WantedFaceValue: weiOf(wanted), MaxFloat: s.ReservePerRecipient}
	if err != nil {
		offer.Refused = fmt.Errorf("%w: max float is %s, a redemption costs %s at %s a unit of gas", err, offer.MaxFloat, amount(terms.TxCost(gasPrice)), s.GasPrice)
	}
	return offer
}

// usualTerms are what the deployed node's recipients want unless they are told otherwise.
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

// weiOf is an amount that is known to fit: at most max float, or 2^200.
func weiOf(v *big.Int) wei.Wei {
	amount, err := wei.FromBig(v)
	if err != nil {
		return wei.Wei{}
	}
	return amount
}
