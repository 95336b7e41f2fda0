package pay

import (
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// OverpayError is tickets that are worth more than the value asked for, by more than the
// user allows. It is a policy.ErrLimit.
type OverpayError struct {
	// Tickets are worth TicketEV each, the first ones made with other params aside.
	Tickets  uint64
	TicketEV *big.Rat

	// Value is what was asked for, Overpays by how much it is exceeded, in wei, and Most by
	// how much it may be.
	Value    wei.Wei
	Overpays *big.Rat
	Most     wei.Wei
}

func (e *OverpayError) Error() string {
	exceed := "exceed"
	if e.Tickets == 1 {
		exceed = "exceeds"
	}
	return fmt.Sprintf("%s of %s %s the %s asked for by %s, above the limit of %s (--max-overpay)",
		words.Count(e.Tickets, "ticket"), wei.Format(e.TicketEV), exceed, e.Value, wei.Format(e.Overpays), policy.Exceeded(e.Overpays, e.Most.Rat()))
}

// Hint says what can be done.
func (e *OverpayError) Hint() string {
	all := new(big.Rat).Add(e.Value.Rat(), e.Overpays)
	bound := ""
	if e.Most.IsZero() && !all.IsInt() { // no value is worth exactly that many
		bound = " with --max-overpay 1wei"
	}
	return fmt.Sprintf("pay %s%s, which is %s, or allow it with --max-overpay", wei.Flag(new(big.Int).Quo(all.Num(), all.Denom())), bound, words.Count(e.Tickets, "ticket"))
}

func (e *OverpayError) Is(target error) bool { return target == policy.ErrLimit }

// checkOverpay holds a plan to what the amount may be exceeded by.
func (a Amount) checkOverpay(plan *Plan, count uint64) error {
	if a.MaxOverpay == nil || plan.Overpays == nil || plan.Overpays.Cmp(a.MaxOverpay.Rat()) <= 0 {
		return nil
	}
	return &OverpayError{Tickets: count, TicketEV: plan.TicketEV, Value: a.Value, Overpays: plan.Overpays, Most: *a.MaxOverpay}
}
