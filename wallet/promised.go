package wallet

import (
	"cmp"
	"context"
	"math/big"
	"time"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// allowancesLeft is the sum of what clients may still have signed today: the face value where that is
// bounded, else the expected value.
func allowancesLeft(ctx context.Context, s *store.Store, now time.Time) (sum wei.Wei, err error) {
	accounts, err := s.Clients().Accounts(ctx, now)
	if err != nil {
		return sum, err
	}
	for _, account := range accounts {
		left, err := wei.Ceil(allowanceLeft(account, now))
		if err == nil {
			sum, err = sum.Add(left)
		}
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// allowanceLeft is 0 for a client that may have nothing signed, and for one without an allowance.
func allowanceLeft(account SignerAccount, now time.Time) *big.Rat {
	if account.EndedAt(now) {
		return new(big.Rat)
	}
	var least, faceValue *big.Rat
	for _, allowance := range SignerAllowances(account) {
		left := allowance.Left()
		switch {
		case left == nil:
		case left.Sign() == 0:
			return left // which bounds the others
		case allowance.Name == store.AllowFaceValuePerDay:
			faceValue = left
		case least == nil || left.Cmp(least) < 0:
			least = left
		}
	}
	return num.OrZero(cmp.Or(faceValue, least))
}
