package history

import (
	"maps"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/forecast"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
)

// Draw compares how many of a sender's tickets won with how many were expected to. It counts only
// tickets whose params have expired, since recipients seldom redeem before.
type Draw struct {
	// Made are all tickets; Outstanding those whose params have not expired and that were not
	// redeemed, which can still win.
	Made, Outstanding policy.Sum

	// Expected is the expected number of wins among the others, Owed that among the outstanding
	// ones.
	Expected, Owed float64

	luck   Luck
	ev     *big.Rat           // of the drawn tickets together
	groups map[float64]uint64 // drawn tickets by probability
	left   map[entry]uint64   // how many tickets of an entry in the ledger can still win
	l1     *big.Int
}

// entry identifies an entry of the ledger.
type entry struct {
	session common.Hash
	first   uint32
}

// NewDraw returns an empty Draw at an L1 block.
func NewDraw(l1Block uint64) *Draw {
	none := policy.Cost(0, nil, nil)
	return &Draw{
		Made: none, Outstanding: none, ev: new(big.Rat), luck: Luck{Paid: new(big.Rat)},
		groups: make(map[float64]uint64), left: make(map[entry]uint64), l1: new(big.Int).SetUint64(l1Block),
	}
}

// Add adds an entry of the ledger.
func (d *Draw) Add(r store.Reservation) {
	n := uint64(r.Nonces.Count)
	cost := policy.Cost(n, r.TicketEV, r.FaceValue)
	d.Made = d.Made.Plus(cost)
	p := WinProb(r)
	if num.OrZero(r.ExpirationBlock).Cmp(d.l1) > 0 {
		d.Outstanding = d.Outstanding.Plus(cost)
		d.Owed += p * float64(n)
		d.left[entry{r.RecipientRandHash, r.Nonces.First}] = n
		return
	}
	d.luck.Tickets += n
	d.ev.Add(d.ev, cost.EV)
	d.Expected += p * float64(n)
	d.groups[p] += n
	d.left[entry{r.RecipientRandHash, r.Nonces.First}] = 0
}

// Win counts a redemption of a ticket that was added. One whose params have not expired is no longer
// outstanding.
func (d *Draw) Win(e Event) {
	if e.Redemption == nil || e.Redemption.Match != Matched || e.Redemption.Made == nil {
		return
	}
	won := store.Reservation{FaceValue: e.Redemption.FaceValue.Big(), TicketEV: e.Redemption.Made.TicketEVExact.Rat}
	key := entry{e.Redemption.RecipientRandHash, e.Redemption.Made.FirstNonce}
	left, added := d.left[key]
	switch {
	case !added:
	case left == 0:
		d.luck.Wins++
		d.luck.Paid.Add(d.luck.Paid, e.Redemption.Paid.Rat())
	default:
		d.left[key]--
		left := d.Outstanding
		d.Outstanding = policy.Sum{
			Tickets: left.Tickets - 1, EV: new(big.Rat).Sub(left.EV, won.TicketEV), FaceValue: new(big.Int).Sub(left.FaceValue, won.FaceValue),
		}
		d.Owed -= WinProb(won)
	}
}

// Luck compares the drawn tickets with their results.
type Luck struct {
	Tickets uint64 `json:"tickets"`
	// TotalEV is their expected value.
	format.TotalEV
	ExpectedWins float64 `json:"expected_wins"`
	// Wins is how many were redeemed, and Paid their sum in wei. Winners that were not redeemed yet
	// are not included.
	Wins uint64   `json:"wins"`
	Paid *big.Rat `json:"paid"`
	// AtMost is the probability of that many wins or fewer, AtLeast of that many or more, exact but
	// for rounding.
	AtMost  float64 `json:"probability_at_most"`
	AtLeast float64 `json:"probability_at_least"`
	// Outstanding is how many tickets can still win.
	Outstanding uint64 `json:"outstanding"`
}

// Bad reports whether more tickets won than were expected. ExpectedWins is a sum of rounded numbers,
// so that it may be off by a little.
func (l Luck) Bad() bool {
	const rounding = 1e-9
	return float64(l.Wins) > l.ExpectedWins*(1+rounding)
}

// Luck returns the result of the draw.
func (d *Draw) Luck() Luck {
	var groups []forecast.Tickets
	for _, p := range slices.Sorted(maps.Keys(d.groups)) {
		groups = append(groups, forecast.Tickets{N: d.groups[p], P: p})
	}
	wins, luck := forecast.Wins(groups), d.luck
	luck.TotalEV, luck.ExpectedWins = format.NewTotalEV(d.ev), d.Expected
	luck.AtMost, luck.AtLeast, luck.Outstanding = wins.AtMost(luck.Wins), wins.AtLeast(luck.Wins), d.Outstanding.Tickets
	return luck
}

// WinProb returns the win probability of an entry's tickets; 0 if their face value is 0.
func WinProb(r store.Reservation) float64 {
	if num.OrZero(r.FaceValue).Sign() == 0 {
		return 0
	}
	ev, _ := num.OrZero(r.TicketEV).Float64()
	faceValue, _ := new(big.Float).SetInt(r.FaceValue).Float64()
	return min(ev/faceValue, 1)
}
