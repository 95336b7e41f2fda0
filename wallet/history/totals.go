package history

import (
	"math/big"
	"time"

	"github.com/pmctl/pmctl/wallet/wei"
)

// Totals adds up events, in wei.
type Totals struct {
	DepositFunded    *big.Rat `json:"deposit_funded"`
	ReserveFunded    *big.Rat `json:"reserve_funded"`
	DepositWithdrawn *big.Rat `json:"deposit_withdrawn"`
	ReserveWithdrawn *big.Rat `json:"reserve_withdrawn"`
	DepositPaid      *big.Rat `json:"deposit_paid"`
	ReservePaid      *big.Rat `json:"reserve_paid"`
	Redemptions      uint64   `json:"redemptions,string"`
	// Unmatched is how many redeemed tickets are not in the ledger as they were redeemed.
	Unmatched uint64 `json:"unmatched,string"`
}

// Total returns the totals of events.
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
			if e.Redemption.Match != Matched {
				t.Unmatched++
			}
		}
		deposit.Add(deposit, rat(e.Deposit))
		reserve.Add(reserve, rat(e.Reserve))
	}
	return t
}

// rat is an amount in wei, 0 for none.
func rat(w *wei.Wei) *big.Rat {
	if w == nil {
		return new(big.Rat)
	}
	return w.Rat()
}

// Balance is a deposit and a reserve from a moment on, in wei.
type Balance struct {
	Time             time.Time
	Deposit, Reserve *big.Rat
}

// Balances follows deposit and reserve back from what they are after the last event. The
// first balance is the one before the first event, and has no time.
func Balances(events []Event, deposit, reserve wei.Wei) []Balance {
	balances := make([]Balance, len(events)+1)
	now := Balance{Deposit: deposit.Rat(), Reserve: reserve.Rat()}
	for i := len(events) - 1; i >= 0; i-- {
		e := events[i]
		balances[i+1] = Balance{e.Time, now.Deposit, now.Reserve}
		before := (*big.Rat).Add
		if e.Kind == DepositFunded || e.Kind == ReserveFunded {
			before = (*big.Rat).Sub
		}
		now = Balance{
			Deposit: before(new(big.Rat), now.Deposit, rat(e.Deposit)), Reserve: before(new(big.Rat), now.Reserve, rat(e.Reserve)),
		}
	}
	balances[0] = now
	return balances
}
