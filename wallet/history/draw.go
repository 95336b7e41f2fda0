package history

import (
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/forecast"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
)

// Draw is how many of a sender's tickets won, and how many should have. Only tickets
// count whose params have expired: before that a recipient redeems none.
type Draw struct {
	// Made are all the tickets, Drawn those whose params have expired, Outstanding the
	// others, which can still win.
	Made, Drawn, Outstanding policy.Sum

	// Wins is how many of the drawn tickets were redeemed, and Paid what they came to,
	// in wei. A winner that nobody has redeemed yet is not among them.
	Wins uint64
	Paid *big.Int

	// Expected is how many should have won; Owed how many of the outstanding ones will.
	Expected, Owed float64

	groups map[float64]uint64 // drawn tickets by their probability to win
	drawn  map[entry]struct{} // their entries in the ledger
	l1     *big.Int
}

// entry names an entry of the ledger.
type entry struct {
	session common.Hash
	first   uint32
}

// NewDraw returns a Draw at an L1 block, to which tickets are added.
func NewDraw(l1Block uint64) *Draw {
	return &Draw{
		Made: policy.Sum{}.Plus(policy.Sum{}), Drawn: policy.Sum{}.Plus(policy.Sum{}), Outstanding: policy.Sum{}.Plus(policy.Sum{}),
		Paid: new(big.Int), l1: new(big.Int).SetUint64(l1Block), groups: make(map[float64]uint64), drawn: make(map[entry]struct{}),
	}
}

// Add counts an entry of the ledger.
func (d *Draw) Add(r store.Reservation) {
	n := uint64(r.Nonces.Count)
	cost := policy.Cost(n, r.TicketEV, r.FaceValue)
	d.Made = d.Made.Plus(cost)
	p := WinProb(r)
	if r.ExpirationBlock.Cmp(d.l1) > 0 {
		d.Outstanding = d.Outstanding.Plus(cost)
		d.Owed += p * float64(n)
		return
	}
	d.Drawn = d.Drawn.Plus(cost)
	d.Expected += p * float64(n)
	d.groups[p] += n
	d.drawn[entry{r.RecipientRandHash, r.Nonces.First}] = struct{}{}
}

// Win counts a redemption, if its ticket is among those drawn.
func (d *Draw) Win(e Event) {
	if e.Redemption == nil || e.Redemption.Match != Matched {
		return
	}
	made := e.Redemption.Made
	if _, ok := d.drawn[entry{made.RecipientRandHash, made.Nonces.First}]; ok {
		d.Wins++
		d.Paid.Add(d.Paid, e.Paid())
	}
}

// Luck is the probability of as many wins as there were or more, and of as many or
// fewer, exact but for rounding.
func (d *Draw) Luck() (atLeast, atMost float64) {
	groups := make([]forecast.Tickets, 0, len(d.groups))
	for p, n := range d.groups {
		groups = append(groups, forecast.Tickets{N: n, P: p})
	}
	wins := forecast.Wins(groups)
	return wins.AtLeast(d.Wins), wins.AtMost(d.Wins)
}

// WinProb is the probability of an entry's tickets to win.
func WinProb(r store.Reservation) float64 {
	if r.FaceValue.Sign() == 0 {
		return 0
	}
	ev, _ := r.TicketEV.Float64()
	faceValue, _ := new(big.Float).SetInt(r.FaceValue).Float64()
	return min(ev/faceValue, 1)
}

// Balance is a deposit and a reserve from a moment on, in wei.
type Balance struct {
	Time             time.Time
	Deposit, Reserve *big.Int
}

// Balances follows deposit and reserve back from what they are after the last event. The
// first balance is the one before the first event, and has no time.
func Balances(events []Event, deposit, reserve *big.Int) []Balance {
	balances := make([]Balance, len(events)+1)
	now := Balance{Deposit: deposit, Reserve: reserve}
	for i := len(events) - 1; i >= 0; i-- {
		e := events[i]
		balances[i+1] = Balance{e.Time, now.Deposit, now.Reserve}
		add := func(to *big.Int, amount *big.Int) *big.Int { return new(big.Int).Add(to, amount) }
		if e.Kind == DepositFunded || e.Kind == ReserveFunded {
			add = func(to *big.Int, amount *big.Int) *big.Int { return new(big.Int).Sub(to, amount) }
		}
		now = Balance{Deposit: add(now.Deposit, e.Deposit.Big()), Reserve: add(now.Reserve, e.Reserve.Big())}
	}
	balances[0] = now
	return balances
}
