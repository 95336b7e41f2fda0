package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/pm"
)

var ann, bob = common.Address{1}, common.Address{2}

// winning is a ticket that differs from others by its sender and nonce.
func winning(sender common.Address, nonce uint32, round int64) *pm.SignedTicket {
	rand := new(big.Int).Sub(new(big.Int).Lsh(common.Big1, 256), big.NewInt(int64(nonce)+1))
	return &pm.SignedTicket{
		Ticket: &pm.Ticket{
			Recipient:              common.Address{0xaa},
			Sender:                 sender,
			FaceValue:              new(big.Int).Lsh(big.NewInt(int64(nonce)+1), 200),
			WinProb:                new(big.Int).Lsh(common.Big1, 254),
			SenderNonce:            nonce,
			RecipientRandHash:      crypto.Keccak256Hash(rand.FillBytes(make([]byte, 32))),
			CreationRound:          round,
			CreationRoundBlockHash: common.Hash{3, byte(round)},
			ParamsExpirationBlock:  big.NewInt(340 + round),
			PricePerPixel:          big.NewRat(7, 3),
		},
		Sig:           slices.Repeat([]byte{byte(nonce), 0, 0xff, 7, 9}, 13),
		RecipientRand: rand,
	}
}

func isActive(_ common.Address, round *big.Int) (bool, error) {
	if round.Sign() < 0 {
		return false, errors.New("no such round")
	}
	return round.Sign() > 0, nil
}

// queueStores are the ways to open a queue store; each is new and empty. Tests run on all of
// them.
var queueStores = map[string]func(testing.TB, place) func() pm.QueueStore{
	"open": func(t testing.TB, place place) func() pm.QueueStore {
		s := open(t, place(t))
		return func() pm.QueueStore { return s.Chain(testChain).Winners(isActive) }
	},
	// Each call finds the state that the last one left.
	"opened for each call": func(t testing.TB, place place) func() pm.QueueStore {
		path := place(t)
		var last *Store
		return func() pm.QueueStore {
			if last != nil {
				require.NoError(t, last.Close())
			}
			last = open(t, path)
			return last.Chain(testChain).Winners(isActive)
		}
	},
}

func TestQueueStore(t *testing.T) { onEach(t, queueStore) }

func queueStore(t *testing.T, place place) {
	for name, newStore := range queueStores {
		t.Run(name, func(t *testing.T) {
			for name, test := range map[string]func(*testing.T, func() pm.QueueStore){
				"a ticket is read as it was stored": wholeTickets,
				"earliest first, each once":         earliestFirst,
				"invalid tickets change nothing":    nonsense,
				"active asks the chain":             activeRecipients,
			} {
				t.Run(name, func(t *testing.T) { test(t, newStore(t, place)) })
			}
		})
	}
}

func wholeTickets(t *testing.T, store func() pm.QueueStore) {
	widest := new(big.Int).Sub(new(big.Int).Lsh(common.Big1, 256), common.Big1)
	full := winning(ann, math.MaxUint32, math.MaxInt64)
	full.FaceValue, full.WinProb, full.ParamsExpirationBlock, full.RecipientRand = widest, widest, widest, widest
	full.PricePerPixel = new(big.Rat).SetFrac(widest, new(big.Int).Sub(widest, common.Big1))
	empty := &pm.SignedTicket{Ticket: &pm.Ticket{Sender: bob}} // numbers that are absent count as 0
	for _, ticket := range []*pm.SignedTicket{full, empty} {
		require.NoError(t, store().StoreWinningTicket(ticket))
		got, err := store().SelectEarliestWinningTicket(ticket.Sender, 0)
		require.NoError(t, err)
		requireSame(t, ticket, got)
		require.Equal(t, ticket.Hash(), got.Hash())
	}
}

// requireSame compares every field; a number that is absent is 0.
func requireSame(t require.TestingT, want, got *pm.SignedTicket) {
	require.NotNil(t, got)
	text := func(s *pm.SignedTicket) string {
		ticket, rand, price := *s.Ticket, s.RecipientRand, s.PricePerPixel
		for _, v := range []**big.Int{&ticket.FaceValue, &ticket.WinProb, &ticket.ParamsExpirationBlock, &rand} {
			if *v == nil {
				*v = new(big.Int)
			}
		}
		if price == nil {
			price = new(big.Rat)
		}
		ticket.PricePerPixel = nil
		return fmt.Sprintf("%+v %v %x %v", ticket, price, s.Sig, rand)
	}
	require.Equal(t, text(want), text(got))
}

func earliestFirst(t *testing.T, store func() pm.QueueStore) {
	first, second, old := winning(ann, 2, 9), winning(ann, 1, 8), winning(bob, 1, 3)
	for _, ticket := range []*pm.SignedTicket{first, second, old, first} {
		require.NoError(t, store().StoreWinningTicket(ticket))
	}
	// expect checks a sender's next ticket of minRound or later, and how many wait.
	expect := func(want *pm.SignedTicket, count int, sender common.Address, minRound int64) {
		t.Helper()
		ticket, err := store().SelectEarliestWinningTicket(sender, minRound)
		require.NoError(t, err)
		if want == nil {
			require.Nil(t, ticket)
		} else {
			requireSame(t, want, ticket)
		}
		waiting, err := store().WinningTicketCount(sender, minRound)
		require.NoError(t, err)
		require.Equal(t, count, waiting)
	}
	senders := func(minRound int64) []common.Address {
		t.Helper()
		found, err := store().WinningTicketSenders(minRound)
		require.NoError(t, err)
		return found
	}

	expect(first, 2, ann, 0)
	expect(first, 1, ann, 9)
	expect(nil, 0, ann, 10)
	expect(nil, 0, bob, 4)
	require.Equal(t, []common.Address{ann, bob}, senders(0))
	require.Equal(t, []common.Address{ann}, senders(4))
	require.Empty(t, senders(10))

	// A stored ticket stays as it is, whatever else is stored under its key.
	altered := winning(ann, 2, 9)
	altered.FaceValue = big.NewInt(5)
	require.NoError(t, store().StoreWinningTicket(altered))
	expect(first, 2, ann, 0)

	require.NoError(t, store().RequeueWinningTicket(first))
	expect(second, 2, ann, 0)
	require.NoError(t, store().RequeueWinningTicket(first))
	expect(second, 2, ann, 0)
	require.NoError(t, store().MarkWinningTicketRedeemed(second, common.Hash{7}))
	expect(first, 1, ann, 0)
	require.NoError(t, store().StoreWinningTicket(second))
	require.NoError(t, store().RequeueWinningTicket(second))
	expect(first, 1, ann, 0)
	require.NoError(t, store().RemoveWinningTicket(first))
	expect(nil, 0, ann, 0)
	require.Equal(t, []common.Address{bob}, senders(0))
	require.NoError(t, store().StoreWinningTicket(first))
	expect(first, 1, ann, 0)
	require.Equal(t, []common.Address{bob, ann}, senders(0), "bob has waited longer")
}

func nonsense(t *testing.T, store func() pm.QueueStore) {
	kept, unknown := winning(ann, 1, 1), winning(ann, 2, 1)
	require.NoError(t, store().StoreWinningTicket(kept))
	negative, wide := big.NewInt(-1), new(big.Int).Lsh(common.Big1, 256)
	for name, alter := range map[string]func(*pm.SignedTicket){
		"negative face value": func(s *pm.SignedTicket) { s.FaceValue = negative },
		"wide winProb":        func(s *pm.SignedTicket) { s.WinProb = wide },
		"wide expiration":     func(s *pm.SignedTicket) { s.ParamsExpirationBlock = wide },
		"negative round":      func(s *pm.SignedTicket) { s.CreationRound = -1 },
		"negative rand":       func(s *pm.SignedTicket) { s.RecipientRand = negative },
		"wide rand":           func(s *pm.SignedTicket) { s.RecipientRand = wide },
		"negative price":      func(s *pm.SignedTicket) { s.PricePerPixel = big.NewRat(-1, 2) },
		"wide price":          func(s *pm.SignedTicket) { s.PricePerPixel = new(big.Rat).SetFrac(common.Big1, wide) },
	} {
		ticket := winning(ann, 3, 1)
		alter(ticket)
		require.ErrorAs(t, store().StoreWinningTicket(ticket), new(*pm.FieldError), name)
	}
	for _, nothing := range []*pm.SignedTicket{nil, {}} {
		require.Error(t, store().StoreWinningTicket(nothing))
		require.Error(t, store().RemoveWinningTicket(nothing))
		require.Error(t, store().RequeueWinningTicket(nothing))
		require.Error(t, store().MarkWinningTicketRedeemed(nothing, common.Hash{}))
	}
	require.ErrorIs(t, store().RequeueWinningTicket(unknown), ErrNoWinner)
	require.ErrorIs(t, store().MarkWinningTicketRedeemed(unknown, common.Hash{1}), ErrNoWinner)
	require.NoError(t, store().RemoveWinningTicket(unknown), "it is deleted already")

	count, err := store().WinningTicketCount(ann, 0)
	require.NoError(t, err)
	require.Equal(t, 1, count)
}

func activeRecipients(t *testing.T, store func() pm.QueueStore) {
	for round, want := range map[int64]bool{0: false, 1: true} {
		active, err := store().IsOrchActive(ann, big.NewInt(round))
		require.NoError(t, err)
		require.Equal(t, want, active)
	}
	_, err := store().IsOrchActive(ann, big.NewInt(-1))
	require.Error(t, err)
}

// Any sequence of calls has the effect that it has on a list.
func TestQueueStoreIsAList(t *testing.T) { onEach(t, queueStoreIsAList) }

func queueStoreIsAList(t *testing.T, place place) {
	senders := []common.Address{ann, bob}
	same := func(s *pm.SignedTicket) func(*pm.SignedTicket) bool {
		return func(other *pm.SignedTicket) bool { return other.Hash() == s.Hash() }
	}
	s := open(t, place(t))
	if s.db.IsFile() {
		_, err := s.db.Pool.Exec(`PRAGMA synchronous = OFF`) // no crash is tried here
		require.NoError(t, err)
	}
	chain := uint64(0)
	rapid.Check(t, func(t *rapid.T) {
		chain++ // each case finds an empty chain
		store := s.Chain(chain).Winners(isActive)
		var waiting, settled []*pm.SignedTicket
		known := func(ticket *pm.SignedTicket) bool {
			return slices.ContainsFunc(slices.Concat(waiting, settled), same(ticket))
		}
		calls := map[string]func(ticket *pm.SignedTicket){
			"store": func(ticket *pm.SignedTicket) {
				require.NoError(t, store.StoreWinningTicket(ticket))
				if !known(ticket) {
					waiting = append(waiting, ticket)
				}
			},
			"remove": func(ticket *pm.SignedTicket) {
				require.NoError(t, store.RemoveWinningTicket(ticket))
				waiting = slices.DeleteFunc(waiting, same(ticket))
				settled = slices.DeleteFunc(settled, same(ticket))
			},
			"settle": func(ticket *pm.SignedTicket) {
				err := store.MarkWinningTicketRedeemed(ticket, common.Hash{1})
				require.Equal(t, !known(ticket), errors.Is(err, ErrNoWinner))
				if slices.ContainsFunc(waiting, same(ticket)) {
					waiting = slices.DeleteFunc(waiting, same(ticket))
					settled = append(settled, ticket)
				}
			},
			"requeue": func(ticket *pm.SignedTicket) {
				err := store.RequeueWinningTicket(ticket)
				require.Equal(t, !known(ticket), errors.Is(err, ErrNoWinner))
				if slices.ContainsFunc(waiting, same(ticket)) {
					waiting = append(slices.DeleteFunc(waiting, same(ticket)), ticket)
				}
			},
		}
		check := func(sender common.Address, minRound int64) {
			lines, want := map[common.Address][]*pm.SignedTicket{}, []common.Address(nil)
			for _, ticket := range waiting {
				if ticket.CreationRound < minRound {
					continue
				}
				if lines[ticket.Sender] == nil {
					want = append(want, ticket.Sender)
				}
				lines[ticket.Sender] = append(lines[ticket.Sender], ticket)
			}
			count, err := store.WinningTicketCount(sender, minRound)
			require.NoError(t, err)
			require.Equal(t, len(lines[sender]), count)
			earliest, err := store.SelectEarliestWinningTicket(sender, minRound)
			require.NoError(t, err)
			if count == 0 {
				require.Nil(t, earliest)
			} else {
				requireSame(t, lines[sender][0], earliest)
			}
			found, err := store.WinningTicketSenders(minRound)
			require.NoError(t, err)
			require.Equal(t, want, found)
		}
		names := []string{"store", "store", "remove", "settle", "requeue", "requeue"}
		for range rapid.IntRange(1, 20).Draw(t, "calls") {
			name := rapid.SampledFrom(names).Draw(t, "call")
			sender := rapid.SampledFrom(senders).Draw(t, "sender")
			nonce := rapid.Uint32Range(1, 4).Draw(t, "nonce")
			calls[name](winning(sender, nonce, int64(nonce%3)))
			check(sender, rapid.Int64Range(0, 3).Draw(t, "minimum round"))
		}
	})
}

func TestWinnersTellWhatSettledThem(t *testing.T) { onEach(t, winnersTellWhatSettledThem) }

func winnersTellWhatSettledThem(t *testing.T, place place) {
	s := open(t, place(t))
	w := s.Chain(testChain).Winners(isActive)
	for nonce := uint32(1); nonce <= 4; nonce++ {
		require.NoError(t, w.StoreWinningTicket(winning(ann, nonce, 1)))
	}
	require.NoError(t, w.MarkWinningTicketRedeemed(winning(ann, 2, 1), common.Hash{2}))
	require.NoError(t, w.MarkWinningTicketRedeemed(winning(ann, 2, 1), common.Hash{9}), "the first counts")
	require.NoError(t, w.MarkWinningTicketRedeemed(winning(ann, 2, 1), common.Hash{}))
	require.NoError(t, w.MarkWinningTicketRedeemed(winning(ann, 3, 1), common.Hash{}))
	require.NoError(t, w.MarkWinningTicketRedeemed(winning(ann, 4, 1), common.Hash{}))
	require.NoError(t, w.MarkWinningTicketRedeemed(winning(ann, 4, 1), common.Hash{4}), "known later")

	all, err := w.All(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 4)
	for i, want := range []Winner{{}, {Settled: true, SettledBy: common.Hash{2}}, {Settled: true}, {Settled: true, SettledBy: common.Hash{4}}} {
		requireSame(t, winning(ann, uint32(i+1), 1), all[i].SignedTicket)
		all[i].SignedTicket = nil
		require.Equal(t, want, all[i])
	}
	elsewhere, err := s.Chain(1).Winners(isActive).All(t.Context())
	require.NoError(t, err)
	require.Empty(t, elsewhere, "another chain")
	require.ErrorIs(t, s.Chain(1).Winners(isActive).RequeueWinningTicket(winning(ann, 1, 1)), ErrNoWinner)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.All(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// Several connections may serve one store: each ticket gets a position of its own.
func TestManyWinnersAtOnce(t *testing.T) { onEach(t, manyWinnersAtOnce) }

func manyWinnersAtOnce(t *testing.T, place place) {
	path := place(t)
	const each = 10
	failed := make(chan error, 4)
	for g := range uint32(4) {
		w := open(t, path).Chain(testChain).Winners(isActive)
		go func() {
			var err error
			for i := range uint32(each) {
				ticket := winning(ann, g*each+i, 1)
				err = errors.Join(err, w.StoreWinningTicket(ticket), w.RequeueWinningTicket(ticket))
			}
			failed <- err
		}()
	}
	for range 4 {
		require.NoError(t, <-failed)
	}
	all, err := open(t, path).Chain(testChain).Winners(isActive).All(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 4*each)
	last := map[uint32]uint32{}
	for _, winner := range all {
		g := winner.SenderNonce / each
		require.GreaterOrEqual(t, winner.SenderNonce, last[g], "each keeps its order")
		last[g] = winner.SenderNonce
	}
}

func TestDamagedWinners(t *testing.T) { onEach(t, damagedWinners) }

func damagedWinners(t *testing.T, place place) {
	path := place(t)
	s := open(t, path)
	w := s.Chain(testChain).Winners(isActive)
	huge := strings.Repeat("9", 1000)
	for column, values := range map[string][]any{
		"sender_nonce":              {-1, int64(1) << 32, "one"},
		"recipient":                 {"", "0x12", "no address"},
		"face_value":                {"", "-1", "0x10", "1e9", "1_0", huge},
		"win_prob":                  {"", " 1", huge},
		"creation_round":            {"one", 2.5},
		"creation_round_block_hash": {"", "0x", "0x12", "zz"},
		"expiration_block":          {"", "1.0"},
		"price_per_pixel":           {"", "1/0", "1/", "-1/2", "1/2/3", "0.5", "1e999999999", "1/" + huge},
		"sig":                       {"", "12", "0x1", "0xzz"},
		"recipient_rand":            {"", "-1", "0xff", huge},
	} {
		for _, value := range values {
			require.NoError(t, w.StoreWinningTicket(winning(ann, 1, 5)))
			if err := tryChange(t, s, fmt.Sprintf(`UPDATE winners SET %s = $1`, column), value); err != nil {
				require.False(t, s.db.IsFile(), "only SQLite lets a column have any type: %v", err)
				continue
			}
			_, err := w.SelectEarliestWinningTicket(ann, 0)
			require.ErrorIs(t, err, ErrDamaged, "%s = %v", column, value)
			require.ErrorContains(t, err, column)
			_, err = w.All(t.Context())
			require.ErrorIs(t, err, ErrDamaged)
			change(t, s, `DELETE FROM winners`)
		}
	}

	require.NoError(t, w.StoreWinningTicket(winning(ann, 1, 5)))
	change(t, s, `UPDATE winners SET recipient_rand = recipient_rand || '9', settled_by = 'by me'`)
	_, err := w.All(t.Context())
	require.ErrorIs(t, err, ErrDamaged)
	require.NotContains(t, err.Error(), winning(ann, 1, 5).RecipientRand.String(), "a secret")
	change(t, s, `UPDATE winners SET sender = 'no address'`)
	_, err = w.WinningTicketSenders(0)
	require.ErrorIs(t, err, ErrDamaged)

	require.NoError(t, s.Close())
	require.Error(t, w.StoreWinningTicket(winning(ann, 1, 5)))
	_, err = w.SelectEarliestWinningTicket(ann, 0)
	require.Error(t, err)
	_, err = w.WinningTicketCount(ann, 0)
	require.Error(t, err)
	_, err = w.WinningTicketSenders(0)
	require.Error(t, err)
}
