package history

import (
	"cmp"
	"math/big"
	"time"

	"github.com/pmctl/pmctl/wallet/wei"
)

// Totals are sums of events, in wei.
type Totals struct {
	DepositFunded    *big.Rat `json:"deposit_funded"`
	ReserveFunded    *big.Rat `json:"reserve_funded"`
	DepositWithdrawn *big.Rat `json:"deposit_withdrawn"`
	ReserveWithdrawn *big.Rat `json:"reserve_withdrawn"`
	DepositPaid      *big.Rat `json:"deposit_paid"`
	ReservePaid      *big.Rat `json:"reserve_paid"`
	Redemptions      uint64   `json:"redemptions"`
	// Unmatched is how many redeemed tickets do not match the ledger.
	Unmatched uint64 `json:"unmatched"`
}

// Total sums up events.
func Total(events []Event) Totals {
	t := Totals{new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), 0, 0}
	for _, e := range events {
		deposit, reserve := t.DepositFunded, t.ReserveFunded
		switch e.Kind {
		case Withdrawn:
			deposit, reserve = t.DepositWithdrawn, t.ReserveWithdrawn
		case Redeemed:
			deposit, reserve = t.DepositPaid, t.ReservePaid
			t.Redemptions++
			if e.Redemption == nil || e.Redemption.Match != Matched {
				t.Unmatched++
			}
		}
		deposit.Add(deposit, cmp.Or(e.Deposit, new(wei.Wei)).Rat())
		reserve.Add(reserve, cmp.Or(e.Reserve, new(wei.Wei)).Rat())
	}
	return t
}

// Balance is an amount from a time on, in wei.
type Balance struct {
	Time time.Time
	Wei  *big.Rat
}

// Balances follows deposit and reserve back from their values after the last event. The first
// balances are those before the first event, and have no time.
func Balances(events []Event, deposit, reserve wei.Wei) (deposits, reserves []Balance) {
	deposits, reserves = make([]Balance, len(events)+1), make([]Balance, len(events)+1)
	deposits[len(events)].Wei, reserves[len(events)].Wei = deposit.Rat(), reserve.Rat()
	for i := len(events) - 1; i >= 0; i-- {
		e, before := events[i], (*big.Rat).Add
		if e.Kind == DepositFunded || e.Kind == ReserveFunded {
			before = (*big.Rat).Sub
		}
		deposits[i+1].Time, reserves[i+1].Time = e.Time, e.Time
		deposits[i].Wei = before(new(big.Rat), deposits[i+1].Wei, cmp.Or(e.Deposit, new(wei.Wei)).Rat())
		reserves[i].Wei = before(new(big.Rat), reserves[i+1].Wei, cmp.Or(e.Reserve, new(wei.Wei)).Rat())
	}
	return deposits, reserves
}
