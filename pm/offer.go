package pm

import (
	"math/big"

	"github.com/pmctl/pmctl/internal/num"
)

const (
	// evMultiplier derives the face value from the EV if redemption is cheaper than one
	// ticket's EV.
	evMultiplier = 100

	// usualGasPrice, in wei: a face value that covers redemption at this price is accepted even
	// while gas is more expensive.
	usualGasPrice = 3_000_000_000
)

// TxCost returns what a redemption costs at a gas price in wei per unit of gas, in wei.
func (c TicketParamsConfig) TxCost(gasPrice *big.Int) *big.Int {
	return new(big.Int).Mul(big.NewInt(int64(c.RedeemGas)), num.OrZero(gasPrice))
}

// LeastFaceValue returns the lowest face value that a recipient with this config accepts, in
// wei: EV, or what a redemption costs at gasPrice or at 3 gwei, whichever of these two is less,
// if that is more.
func (c TicketParamsConfig) LeastFaceValue(gasPrice *big.Int) *big.Int {
	least := c.TxCost(gasPrice)
	if usual := c.TxCost(big.NewInt(usualGasPrice)); usual.Cmp(least) < 0 {
		least = usual
	}
	if ev := num.OrZero(c.EV); ev.Cmp(least) > 0 {
		least.Set(ev)
	}
	return least
}

// FaceValue returns the face value that a recipient with this config offers a sender, in wei:
// redeemGas · gasPrice · txCostMultiplier, or 100 · EV if that is below EV, and at most the
// sender's max float and the recipient's own maxFaceValue (0 or nil is no limit).
//
// It fails with ErrInsufficientSenderReserve if that is below LeastFaceValue. The value is
// returned all the same: it shows by how much the sender's funds fall short.
func (c TicketParamsConfig) FaceValue(gasPrice, maxFloat, maxFaceValue *big.Int) (*big.Int, error) {
	faceValue := new(big.Int).Mul(c.TxCost(gasPrice), big.NewInt(int64(c.TxCostMultiplier)))
	ev := num.OrZero(c.EV)
	if faceValue.Cmp(ev) < 0 {
		faceValue.Mul(ev, big.NewInt(evMultiplier))
	}
	if maxFloat = num.OrZero(maxFloat); faceValue.Cmp(maxFloat) > 0 {
		faceValue.Set(maxFloat)
	}
	if most := num.OrZero(maxFaceValue); most.Sign() > 0 && faceValue.Cmp(most) > 0 {
		faceValue.Set(most)
	}
	if faceValue.Cmp(c.LeastFaceValue(gasPrice)) < 0 {
		return faceValue, ErrInsufficientSenderReserve
	}
	return faceValue, nil
}
