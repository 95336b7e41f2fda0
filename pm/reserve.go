package pm

import (
	"errors"
	"math/big"

	"github.com/pmctl/pmctl/internal/num"
)

// ReserveShare returns what a claimant can still claim from a reserve in this round, in wei:
// (fundsRemaining + claimedInCurrentRound) / poolSize - claimed, never below 0, and 0 for an
// empty pool. While no redemption is in flight it is the claimant's max float.
func (r *ReserveInfo) ReserveShare(poolSize, claimed *big.Int) *big.Int {
	if poolSize = num.OrZero(poolSize); r == nil || poolSize.Sign() <= 0 {
		return new(big.Int)
	}
	share := new(big.Int).Add(num.OrZero(r.FundsRemaining), num.OrZero(r.ClaimedInCurrentRound))
	share.Quo(share, poolSize)
	return atLeastZero(share.Sub(share, num.OrZero(claimed)))
}

// MissingFor returns by how much a reserve has to grow, in wei, for a claimant's ReserveShare
// to be share; 0 if it is. It fails for an empty pool, for which no reserve suffices.
func (r *ReserveInfo) MissingFor(share, poolSize, claimed *big.Int) (*big.Int, error) {
	if poolSize = num.OrZero(poolSize); poolSize.Sign() <= 0 {
		return nil, errors.New("no recipient is active, so no reserve can be claimed")
	}
	missing := new(big.Int).Add(num.OrZero(share), num.OrZero(claimed))
	missing.Mul(missing, poolSize)
	if r != nil {
		missing.Sub(missing, num.OrZero(r.FundsRemaining))
		missing.Sub(missing, num.OrZero(r.ClaimedInCurrentRound))
	}
	return atLeastZero(missing), nil
}
