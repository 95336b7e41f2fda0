package wallet

import (
	"context"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// PayAllResult is what became of orders: Failed of them were not paid, the first for FirstFailure.
type PayAllResult struct {
	Paid, Failed int
	FirstFailure error
}

// String is the result for people.
func (r PayAllResult) String() string { return words.Count(r.Paid, "payment") + " accepted" }

// PayAll pays orders one after the other, and passes each with its payment or its error to done,
// unless that is nil. The Line of each order must be its own if o has a request ID.
// Their values together must be within the limit on the total EV before the first is paid. Their
// tickets can be worth more, since each payment takes one at least: an order with which they would
// exceed the limit fails. The request ID of o, with an order's line, makes its payment idempotent. A
// failed order does not affect the others, unless the failure concerns all of them: PayAll returns
// that one, and the errors of done.
func (w *Wallet) PayAll(ctx context.Context, orders []Order, o PayOptions, done func(Order, *pay.Payment, error) error) (PayAllResult, error) {
	var result PayAllResult
	if err := w.requireAccount(); err != nil {
		return result, err
	}
	if err := checkOrders(w.Limits, orders); err != nil {
		return result, err
	}
	if len(orders) == 0 {
		return result, nil
	}
	if o.RequestID != "" {
		if err := CheckRequestID(lineID(o.RequestID, orders[len(orders)-1].Line)); err != nil {
			return result, err
		}
	}
	if _, err := w.Account.Unlock(ctx); err != nil {
		return result, err
	}
	id, together := o.RequestID, policy.Cost(0, nil, nil)
	for _, order := range orders {
		if id != "" {
			o.RequestID = lineID(id, order.Line)
		}
		payment, err := w.pay(ctx, order.To, order.Amount, o, &together)
		if endsStream(ctx, err) {
			return result, fmt.Errorf("%s: %w", order, err)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", order, err)
			if result.Failed++; result.FirstFailure == nil {
				result.FirstFailure = err
			}
		} else {
			result.Paid++
		}
		if done == nil {
			continue
		}
		if err := done(order, payment, err); err != nil {
			return result, err
		}
	}
	return result, nil
}

func lineID(id string, line int) string { return fmt.Sprintf("%s:%d", id, line) }

// checkOrders checks what orders come to together against the limit that applies to one payment:
// a file pays no more at once than a command line may.
func checkOrders(limits policy.Limits, orders []Order) error {
	all := new(big.Rat)
	for _, o := range orders {
		all.Add(all, o.Amount.Value.Rat())
	}
	if limits.MaxTotalEV == nil || all.Cmp(limits.MaxTotalEV) <= 0 {
		return nil
	}
	return hint.With(fmt.Errorf("%w: %s of %s in total are above the limit of %s (%s)", policy.ErrLimit,
		words.Count(len(orders), "payment"), wei.Format(all), policy.Exceeded(all, limits.MaxTotalEV), limits.Where(policy.MaxTotalEV)),
		"pay fewer at once, or raise %s", limits.Knob(policy.MaxTotalEV))
}
