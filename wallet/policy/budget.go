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

// Sum is what tickets come to together.
type Sum struct {
	// Tickets is how many they are.
	Tickets uint64

	// EV is their expected value in wei, exactly; nil is 0.
	EV *big.Rat

	// FaceValue is what they pay in wei if every one wins; nil is 0.
	FaceValue *big.Int
}

// Cost returns what count tickets come to that are worth ev each and win faceValue each,
// in wei; nil is 0.
func Cost(count uint64, ev *big.Rat, faceValue *big.Int) Sum {
	n := new(big.Int).SetUint64(count)
	return Sum{
		Tickets:   count,
		EV:        new(big.Rat).Mul(num.OrZero(ev), new(big.Rat).SetInt(n)),
		FaceValue: new(big.Int).Mul(num.OrZero(faceValue), n),
	}
}

// Plus returns the sum of two sums.
func (s Sum) Plus(t Sum) Sum {
	return Sum{
		Tickets:   s.Tickets + t.Tickets,
		EV:        new(big.Rat).Add(num.OrZero(s.EV), num.OrZero(t.EV)),
		FaceValue: new(big.Int).Add(num.OrZero(s.FaceValue), num.OrZero(t.FaceValue)),
	}
}

// Equal tells whether two sums are the same.
func (s Sum) Equal(t Sum) bool {
	return s.Tickets == t.Tickets && num.OrZero(s.EV).Cmp(num.OrZero(t.EV)) == 0 && num.OrZero(s.FaceValue).Cmp(num.OrZero(t.FaceValue)) == 0
}

// Spending is what a sender has spent on a chain in a day.
type Spending struct {
	// Day is when the day began: midnight in UTC.
	Day time.Time

	// All is what was spent on everybody, Recipients on each one.
	All        Sum
	Recipients map[common.Address]Sum

	// Spent, unless it is empty, says why all of the day's budget counts as spent.
	Spent string
}

// Ends is when the day ends.
func (s Spending) Ends() time.Time { return s.Day.AddDate(0, 0, 1) }

// Budget returns the limit that a budget sets, and where it is set; nil where none does.
func (l Limits) Budget(s Setting) (limit *wei.Wei, where string) {
	if w, ok := l.budget[s]; ok {
		return &w, l.Where(s)
	}
	return nil, ""
}

// CheckBudget tells whether tickets for a recipient that come to asked may be made
// after what was spent already. It fails with a *Refusal, which wraps ErrLimit and a
// *BudgetError.
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
		after := new(big.Rat).Add(budget.asked, budget.spent)
		if spent.Spent == "" && after.Cmp(limit.Rat()) <= 0 {
			continue
		}
		return l.refuseBudget(&BudgetError{
			Setting: budget.setting, Recipient: recipient, Tickets: asked.Tickets,
			Asked: budget.asked, Spent: budget.spent, Limit: limit, Ends: spent.Ends(), Reason: spent.Spent,
		})
	}
	return nil
}

func (l Limits) refuseBudget(e *BudgetError) error {
	ends := e.Ends.Format(time.RFC3339)
	hint := fmt.Sprintf("the day ends at %s; until then only a change of %s allows more", ends, l.Knob(e.Setting))
	if e.Reason != "" {
		hint = fmt.Sprintf("pmctl store acknowledge shows what the store may lack, and then counts what it has; otherwise the day ends at %s", ends)
	}
	if most := e.fit(); most.Sign() > 0 {
		hint = fmt.Sprintf("make at most %v tickets; %s", most, hint)
	}
	return &Refusal{ErrLimit, e, fmt.Sprintf("%v (%s; the day ends at %s)", e, l.Where(e.Setting), ends), hint}
}

// BudgetError is tickets that would go beyond a budget. None were made.
type BudgetError struct {
	// Setting is the budget, Limit what it allows in a day.
	Setting Setting
	Limit   wei.Wei

	// Recipient is who was to be paid, with how many Tickets.
	Recipient common.Address
	Tickets   uint64

	// Asked is what the tickets come to, Spent what was spent already, in wei.
	Asked, Spent *big.Rat

	// Ends is when the day ends.
	Ends time.Time

	// Reason, unless it is empty, is why all of the budget counts as spent.
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
	spent := wei.Format(e.Spent) + " of it are spent"
	if e.Reason != "" {
		spent = "which counts as spent: " + e.Reason
	}
	return fmt.Sprintf("%s with a total %s of %s would exceed %s of %s, %s",
		words.Count(e.Tickets, "ticket"), what, wei.Format(e.Asked), whose, e.Limit, spent)
}

// Is matches ErrLimit.
func (e *BudgetError) Is(target error) bool { return target == ErrLimit }

// fit is how many of the tickets that were asked for the budget still has room for.
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
