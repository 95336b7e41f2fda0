package policy

import (
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Sum is what a number of tickets come to.
type Sum struct {
	// Tickets is their number.
	Tickets uint64
	// EV is their exact expected value in wei; nil is 0.
	EV *big.Rat
	// FaceValue is what they pay, in wei, if all of them win; nil is 0.
	FaceValue *big.Int
}

// Cost returns the sum of count tickets with the given expected and face value in wei; nil is 0.
func Cost(count uint64, ev *big.Rat, faceValue *big.Int) Sum {
	return Sum{
		Tickets:   count,
		EV:        num.Times(num.OrZero(ev), count),
		FaceValue: new(big.Int).Mul(num.OrZero(faceValue), new(big.Int).SetUint64(count)),
	}
}

// Plus returns the sum of both; a nil EV or FaceValue counts as 0.
func (s Sum) Plus(t Sum) Sum {
	return Sum{
		Tickets:   s.Tickets + t.Tickets,
		EV:        num.Sum(num.OrZero(s.EV), num.OrZero(t.EV)),
		FaceValue: new(big.Int).Add(num.OrZero(s.FaceValue), num.OrZero(t.FaceValue)),
	}
}

// Equal reports whether two sums are equal.
func (s Sum) Equal(t Sum) bool {
	return s.Tickets == t.Tickets && num.OrZero(s.EV).Cmp(num.OrZero(t.EV)) == 0 && num.OrZero(s.FaceValue).Cmp(num.OrZero(t.FaceValue)) == 0
}

// Spending is what a sender has spent on a chain in a day.
type Spending struct {
	// Day is the beginning of the day: midnight UTC.
	Day time.Time
	// All is the spending on all recipients, Recipients that on each.
	All        Sum
	Recipients map[common.Address]Sum
	// ExhaustedReason, if set, is why the whole day's budget counts as spent.
	ExhaustedReason string
}

// Ends returns the end of the day.
func (s Spending) Ends() time.Time { return s.Day.AddDate(0, 0, 1) }

// Budget returns the limit of a budget and where it is set; nil if it is not set.
func (l Limits) Budget(s Setting) (limit *wei.Wei, where string) {
	if w, ok := l.budget[s]; ok {
		return &w, l.Where(s)
	}
	return nil, ""
}

// CheckBudget checks whether tickets for a recipient may be created after the day's spending. It
// returns a *Refusal, which wraps ErrLimit and a *BudgetError.
func (l Limits) CheckBudget(recipient common.Address, asked Sum, spent Spending) error {
	one := spent.Recipients[recipient]
	for _, budget := range []struct {
		setting      Setting
		asked, spent *big.Rat
	}{
		{EVPerDay, num.OrZero(asked.EV), num.OrZero(spent.All.EV)},
		{FaceValuePerDay, ratOfInt(asked.FaceValue), ratOfInt(spent.All.FaceValue)},
		{RecipientEVPerDay, num.OrZero(asked.EV), num.OrZero(one.EV)},
		{RecipientFaceValuePerDay, ratOfInt(asked.FaceValue), ratOfInt(one.FaceValue)},
	} {
		limit, ok := l.budget[budget.setting]
		if !ok {
			continue
		}
		left := num.Sum(limit.Rat(), new(big.Rat).Neg(budget.spent))
		if spent.ExhaustedReason == "" && budget.asked.Cmp(left) <= 0 {
			continue
		}
		return l.refuseBudget(&BudgetError{
			Setting: budget.setting, Recipient: recipient, Tickets: asked.Tickets,
			Asked: budget.asked, Spent: budget.spent, Limit: limit, Ends: spent.Ends(), Reason: spent.ExhaustedReason,
		})
	}
	return nil
}

func (l Limits) refuseBudget(e *BudgetError) error {
	ends := e.Ends.Format(time.RFC3339)
	hint := fmt.Sprintf("wait until the day ends at %s, or change %s", ends, l.Knob(e.Setting))
	if e.Reason != "" {
		hint = fmt.Sprintf("pmctl store acknowledge shows what the store may lack, and counts only what it has recorded; otherwise wait until the day ends at %s", ends)
	}
	if most := e.fit(); most.Sign() > 0 {
		hint = fmt.Sprintf("create at most %v tickets; %s", most, hint)
	}
	return &Refusal{ErrLimit, e, fmt.Sprintf("%v (%s; the day ends at %s)", e, l.Where(e.Setting), ends), hint}
}

// BudgetError is returned for tickets that would exceed a budget. None were created.
type BudgetError struct {
	// Setting is the budget, Limit its value for a day.
	Setting Setting
	Limit   wei.Wei
	// Recipient would be paid, with this number of Tickets.
	Recipient common.Address
	Tickets   uint64
	// Asked is the sum of the tickets, Spent what was spent before, in wei.
	Asked, Spent *big.Rat
	// Ends is the end of the day.
	Ends time.Time
	// Reason, if set, is why the whole budget counts as spent.
	Reason string
}

func (e *BudgetError) Error() string {
	what, whose := "EV", "the day's budget"
	if e.Setting == FaceValuePerDay || e.Setting == RecipientFaceValuePerDay {
		what = "face value"
	}
	if e.Setting == RecipientEVPerDay || e.Setting == RecipientFaceValuePerDay {
		whose = fmt.Sprintf("the day's budget for %v", e.Recipient)
	}
	spent := wei.Format(e.Spent) + " of it is spent"
	if e.Reason != "" {
		spent = "which counts as spent: " + e.Reason
	}
	return fmt.Sprintf("%s with a total %s of %s would exceed %s of %s, %s",
		words.Count(e.Tickets, "ticket"), what, wei.Format(e.Asked), whose, Exceeded(new(big.Rat).Add(e.Asked, e.Spent), e.Limit.Rat()), spent)
}

func (e *BudgetError) Is(target error) bool { return target == ErrLimit }

// fit returns how many of the tickets fit in the rest of the budget.
func (e *BudgetError) fit() *big.Int {
	left := new(big.Rat).Sub(e.Limit.Rat(), e.Spent)
	if e.Reason != "" || left.Sign() <= 0 || e.Asked.Sign() <= 0 {
		return new(big.Int)
	}
	left.Mul(left, new(big.Rat).SetFrac(new(big.Int).SetUint64(e.Tickets), big.NewInt(1)))
	left.Quo(left, e.Asked)
	return new(big.Int).Quo(left.Num(), left.Denom())
}

func ratOfInt(v *big.Int) *big.Rat { return new(big.Rat).SetInt(num.OrZero(v)) }
