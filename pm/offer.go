package pm

import "math/big"

const (
	// evMultiplier makes the face value from the EV where redemption is cheaper than
	// one ticket's EV.
	evMultiplier = 100

	// usualGasPrice, in wei: a face value that covers redemption at this price is
	// taken even while gas is dearer.
	usualGasPrice = 3_000_000_000
)

// TxCost returns what a redemption costs at a gas price in wei a unit of gas, in wei.
func (c TicketParamsConfig) TxCost(gasPrice *big.Int) *big.Int {
	return new(big.Int).Mul(big.NewInt(int64(c.RedeemGas)), orZero(gasPrice))
}

// FaceValue returns the face value that a recipient with this config asks of a sender, in
// wei: redeemGas · gasPrice · txCostMultiplier, or 100 · EV where that is below EV, and at
// most the sender's max float and the recipient's own maxFaceValue (0 or nil is no limit).
//
// It fails with ErrInsufficientSenderReserve when that is below EV, or below what a
// redemption costs both at gasPrice and at 3 gwei. The value is returned all the same:
// it tells by how much the sender's funds fall short.
func (c TicketParamsConfig) FaceValue(gasPrice, maxFloat, maxFaceValue *big.Int) (*big.Int, error) {
	cost := c.TxCost(gasPrice)
	faceValue := new(big.Int).Mul(cost, big.NewInt(int64(c.TxCostMultiplier)))
	ev := orZero(c.EV)
	if faceValue.Cmp(ev) < 0 {
		faceValue.Mul(ev, big.NewInt(evMultiplier))
	}
	if maxFloat = orZero(maxFloat); faceValue.Cmp(maxFloat) > 0 {
		faceValue.Set(maxFloat)
	}
	if most := orZero(maxFaceValue); most.Sign() > 0 && faceValue.Cmp(most) > 0 {
		faceValue.Set(most)
	}
	usualCost := c.TxCost(big.NewInt(usualGasPrice))
	if faceValue.Cmp(ev) < 0 || faceValue.Cmp(cost) < 0 && faceValue.Cmp(usualCost) < 0 {
		return faceValue, ErrInsufficientSenderReserve
	}
	return faceValue, nil
}
