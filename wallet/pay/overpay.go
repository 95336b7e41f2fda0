package pay

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// errOverpays is tickets that are worth more than the value asked for, by more than the user allows.
var errOverpays = errors.New("the tickets are worth more than the value asked for")

// checkOverpay holds a plan to what the amount may be exceeded by. count is how many tickets there are, those
// made with other params included. It fails with policy.ErrLimit.
func (a Amount) checkOverpay(plan *Plan, count uint64) error {
	if a.MaxOverpay == nil || plan.Overpays == nil || plan.Overpays.Cmp(a.MaxOverpay.Rat()) <= 0 {
		return nil
	}
	tickets, exceed := words.Count(count, "ticket"), "exceed"
	if count == 1 {
		exceed = "exceeds"
	}
	err := fmt.Errorf("%s of %s %s the %s asked for by %s, above the limit of %s (--max-overpay)",
		tickets, wei.Format(plan.TicketEV), exceed, a.Value, wei.Format(plan.Overpays), policy.Exceeded(plan.Overpays, a.MaxOverpay.Rat()))
	all := new(big.Rat).Add(a.Value.Rat(), plan.Overpays)
	bound := ""
	if a.MaxOverpay.IsZero() && !all.IsInt() { // no value is worth exactly that many
		bound = " with --max-overpay 1wei"
	}
	return hint.With(hint.Kind(policy.ErrLimit, hint.Kind(errOverpays, err)),
		"pay %s%s, which is %s, or allow it with --max-overpay", wei.Flag(new(big.Int).Quo(all.Num(), all.Denom())), bound, tickets)
}
