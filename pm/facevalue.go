package pm

import (
	"errors"
	"math/big"
)

const (
	// evMultiplier makes the face value from the EV where redemption is cheaper than
	// one ticket's EV.
	evMultiplier = 100

	// usualGasPrice, in wei: a face value that covers redemption at this price is
	// taken even while gas is dearer.
	usualGasPrice = 3_000_000_000
)

// RedeemCost returns what the redemption of a ticket costs at a gas price, in wei; nil
// is 0.
func (c TicketParamsConfig) RedeemCost(gasPrice *big.Int) *big.Int {
	return new(big.Int).Mul(big.NewInt(int64(c.RedeemGas)), orZero(gasPrice))
}

// FaceValue returns the face value that a recipient asks of a sender, in wei: a multiple
// of what redemption costs at gasPrice, or of the EV where that is more, at most the
// sender's max float, and at most maxFaceValue unless that is 0 or nil. It fails with
// ErrInsufficientSenderReserve when what is left is below LeastFaceValue.
func (c TicketParamsConfig) FaceValue(gasPrice, maxFloat, maxFaceValue *big.Int) (*big.Int, error) {
	faceValue := new(big.Int).Mul(c.RedeemCost(gasPrice), big.NewInt(int64(c.TxCostMultiplier)))
	if faceValue.Cmp(orZero(c.EV)) < 0 {
		faceValue.Mul(orZero(c.EV), big.NewInt(evMultiplier))
	}
	if maxFloat = orZero(maxFloat); faceValue.Cmp(maxFloat) > 0 {
		faceValue.Set(maxFloat)
	}
	if maxFaceValue = orZero(maxFaceValue); maxFaceValue.Sign() > 0 && faceValue.Cmp(maxFaceValue) > 0 {
		faceValue.Set(maxFaceValue)
	}
	if faceValue.Cmp(c.LeastFaceValue(gasPrice)) < 0 {
		return nil, ErrInsufficientSenderReserve
	}
	return faceValue, nil
}

// LeastFaceValue returns the lowest face value that a recipient makes tickets with at
// gasPrice, in wei: the EV, and what redemption costs at gasPrice or at 3 gwei a unit,
// whichever of these two is less.
func (c TicketParamsConfig) LeastFaceValue(gasPrice *big.Int) *big.Int {
	least, usual := c.RedeemCost(gasPrice), c.RedeemCost(big.NewInt(usualGasPrice))
	if least.Cmp(usual) > 0 {
		least = usual
	}
	if ev := orZero(c.EV); least.Cmp(ev) < 0 {
		least.Set(ev)
	}
	return least
}

// ReserveShare returns what a claimant can still claim of a reserve in this round, in
// wei: (fundsRemaining + claimedInCurrentRound) / poolSize - claimed, never below 0, and
// 0 for an empty pool. While no redemption is in flight it is the claimant's max float.
func (r *ReserveInfo) ReserveShare(poolSize, claimed *big.Int) *big.Int {
	if poolSize = orZero(poolSize); r == nil || poolSize.Sign() <= 0 {
		return new(big.Int)
	}
	share := new(big.Int).Add(orZero(r.FundsRemaining), orZero(r.ClaimedInCurrentRound))
	share.Quo(share, poolSize)
	return atLeastZero(share.Sub(share, orZero(claimed)))
}

// MissingFor returns by how much a reserve has to grow, in wei, for a claimant's
// ReserveShare to be share; 0 when it is. No reserve does for an empty pool: it fails.
func (r *ReserveInfo) MissingFor(share, poolSize, claimed *big.Int) (*big.Int, error) {
	if poolSize = orZero(poolSize); poolSize.Sign() <= 0 {
		return nil, errors.New("no recipient is active, so that nobody can claim of a reserve")
	}
	missing := new(big.Int).Add(orZero(share), orZero(claimed))
	missing.Mul(missing, poolSize)
	if r != nil {
		missing.Sub(missing, orZero(r.FundsRemaining))
		missing.Sub(missing, orZero(r.ClaimedInCurrentRound))
	}
	return atLeastZero(missing), nil
}
