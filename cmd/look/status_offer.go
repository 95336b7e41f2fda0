package look

import (
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// offerResult is what a recipient with the deployed node's usual settings would ask of
// the account at this moment.
type offerResult struct {
	Accepted bool `json:"accepted"`
	// Reason says why there is no offer.
	Reason string `json:"reason,omitempty"`
	// FaceValue is what it would ask for; without an offer, the most it could.
	FaceValue wei.Wei `json:"face_value"`
	// WantedFaceValue is what it would ask of a sender with any reserve.
	WantedFaceValue wei.Wei `json:"wanted_face_value"`
	EV              wei.Wei `json:"ev"`
	// MaxFloat is the most that one ticket may be worth to it, if it has claimed nothing
	// in this round and nothing of the sender's is in flight.
	MaxFloat         wei.Wei `json:"max_float"`
	GasPrice         wei.Wei `json:"gas_price"`
	RedeemGas        string  `json:"redeem_gas"`
	TxCostMultiplier string  `json:"tx_cost_multiplier"`
}

// usualConfig is what the deployed node's recipients want unless they are told otherwise.
func usualConfig(s *chain.Status) pm.TicketParamsConfig {
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

func newOfferResult(s *chain.Status) offerResult {
	config := usualConfig(s)
	maxFloat := s.ReservePerRecipient.Big()
	gasPrice := s.GasPrice.Big()
	faceValue, err := config.FaceValue(gasPrice, maxFloat, nil)
	enough := new(big.Int).Lsh(big.NewInt(1), 200)
	wanted, _ := config.FaceValue(gasPrice, enough, nil)
	offer := offerResult{
		Accepted:         err == nil,
		FaceValue:        weiOf(faceValue),
		WantedFaceValue:  weiOf(wanted),
		EV:               weiOf(config.EV),
		MaxFloat:         s.ReservePerRecipient,
		GasPrice:         s.GasPrice,
		RedeemGas:        fmt.Sprint(config.RedeemGas),
		TxCostMultiplier: fmt.Sprint(config.TxCostMultiplier),
	}
	if err != nil {
		offer.Reason = fmt.Sprintf("%v: max float is %s, a redemption costs %s at %s a unit of gas",
			err, offer.MaxFloat, amountText(config.TxCost(gasPrice)), s.GasPrice)
	}
	return offer
}

// text is the offer on one line.
func (o offerResult) text() string {
	if !o.Accepted {
		return "none: the reserve is too small for a typical recipient"
	}
	return fmt.Sprintf("face value %s (a typical recipient's)", o.FaceValue)
}

// weiOf is an amount that is known to fit: at most max float, or 2^200.
func weiOf(v *big.Int) wei.Wei {
	amount, err := wei.FromBig(v)
	if err != nil {
		return wei.Wei{}
	}
	return amount
}
