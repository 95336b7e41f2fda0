package wallet

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"time"

	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
)

// Activity is what an account has spent, for a monitor that asks again and again.
type Activity struct {
	// Made are all tickets of the store, by its sums of each day. Budget is today's.
	Made   policy.Sum
	Budget *Budget

	// Wins and Paid are the redemptions since the store's first ticket, Paid in wei.
	Wins uint64
	Paid *big.Rat

	// Forecast is how long the deposit lasts, by the time that was asked for; nil where
	// too little was spent to tell.
	Forecast *Forecast
}

// Activity returns what the account has spent, with a forecast by what was spent in a time
// before now; nil where there is no store, or opening it would retire its sessions. It
// fails as History does.
func (r *Reader) Activity(ctx context.Context, limits policy.Limits, before time.Duration) (*Activity, error) {
	seen, err := store.Summarize(ctx, r.Store, r.Network.ID(), r.Address, store.RememberIn(r.DatabasesDir))
	if errors.Is(err, store.ErrNoStore) || seen.CopyReason != "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	first, err := r.firstTicket(ctx)
	if err != nil {
		return nil, err
	}
	since := r.Now().Add(-before)
	from := since
	if !first.IsZero() && first.Before(since) {
		from = first
	}
	p, err := r.lookBack(ctx, HistoryOptions{Since: from})
	if err != nil {
		return nil, err
	}
	defer p.store.Close()
	a := &Activity{Paid: new(big.Rat)}
	if a.Made, err = p.ledger.Made(ctx, r.Address); err != nil {
		return nil, err
	}
	if a.Budget, err = budgetOf(ctx, p.ledger, r.Network.ChainID, r.Address, limits, r.Now()); err != nil {
		return nil, err
	}
	for _, e := range p.events {
		if e.Redemption != nil && !first.IsZero() && !e.Time.Before(first) {
			a.Wins++
			a.Paid.Add(a.Paid, e.Redemption.Paid.Rat())
		}
	}
	p.events = slices.DeleteFunc(p.events, func(e history.Event) bool { return e.Time.Before(since) })
	runway, err := r.runway(ctx, p, since)
	if err != nil {
		return nil, err
	}
	a.Forecast = runway.Forecast
	return a, nil
}

// firstTicket is when the account's first ticket was made; zero for none.
func (r *Reader) firstTicket(ctx context.Context) (time.Time, error) {
	opened, err := OpenStore(ctx, r.Store, r.DatabasesDir, r.UI)
	if err != nil {
		return time.Time{}, err
	}
	defer opened.Close()
	return opened.Chain(r.Network.ChainID).FirstReservation(ctx, r.Address)
}
