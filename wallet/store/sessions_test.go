package store

import (
	"context"
	"math"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

func TestReservationsContinue(t *testing.T) { onEach(t, reservationsContinue) }

func reservationsContinue(t *testing.T, place place) {
	s := open(t, place(t))
	require.Equal(t, pm.NonceRange{First: 1, Count: 10}, reserve(t, s, params(1), 10))
	require.Equal(t, pm.NonceRange{First: 11, Count: 10}, reserve(t, s, params(1), 10))
	require.Equal(t, pm.NonceRange{First: 1, Count: 1}, reserve(t, s, params(2), 1))

	used, err := s.Chain(testChain).UsedNonces(t.Context(), params(1).RecipientRandHash)
	require.NoError(t, err)
	require.EqualValues(t, 20, used)
	used, err = s.Chain(testChain).UsedNonces(t.Context(), common.Hash{9})
	require.NoError(t, err)
	require.Zero(t, used)
}

// Recipients detect replays by the recipientRandHash alone.
func TestASessionIsItsHash(t *testing.T) { onEach(t, aSessionIsItsHash) }

func aSessionIsItsHash(t *testing.T, place place) {
	s := open(t, place(t))
	reserve(t, s, params(1), 10)
	changed := params(1)
	changed.FaceValue, changed.Recipient, changed.ExpirationBlock = big.NewInt(7), common.Address{0xbb}, big.NewInt(99)
	nonces, err := s.Chain(42161).ReserveNonces(t.Context(), common.Address{2}, changed, 1, 0)
	require.NoError(t, err)
	require.EqualValues(t, 11, nonces.First)
}

func TestCap(t *testing.T) { onEach(t, nonceCap) }

func nonceCap(t *testing.T, place place) {
	s := open(t, place(t))
	c, me := s.Chain(testChain), common.Address{1}
	_, err := c.ReserveNonces(t.Context(), me, params(1), 595, 600)
	require.NoError(t, err)

	_, err = c.ReserveNonces(t.Context(), me, params(1), 6, 600)
	var capped *pm.NonceCapError
	require.ErrorAs(t, err, &capped)
	require.Equal(t, pm.NonceCapError{RecipientRandHash: params(1).RecipientRandHash, Used: 595, Asked: 6, Cap: 600}, *capped)
	require.ErrorContains(t, err, "fetch fresh ticket params")

	nonces, err := c.ReserveNonces(t.Context(), me, params(1), 5, 600)
	require.NoError(t, err, "the refusal took nothing")
	require.Equal(t, pm.NonceRange{First: 596, Count: 5}, nonces)

	nonces, err = c.ReserveNonces(t.Context(), me, params(1), math.MaxUint32-600, 0)
	require.NoError(t, err)
	require.Equal(t, pm.NonceRange{First: 601, Count: math.MaxUint32 - 600}, nonces)
	_, err = c.ReserveNonces(t.Context(), me, params(1), 1, 0)
	require.ErrorAs(t, err, &capped, "a nonce has 32 bits")
}

func TestReservationRefusesNonsense(t *testing.T) { onEach(t, reservationRefusesNonsense) }

func reservationRefusesNonsense(t *testing.T, place place) {
	s := open(t, place(t))
	c := s.Chain(testChain)
	_, err := c.ReserveNonces(t.Context(), common.Address{1}, params(1), 0, 0)
	require.ErrorIs(t, err, pm.ErrTicketCount)
	_, err = c.ReserveNonces(t.Context(), common.Address{1}, nil, 1, 0)
	require.Error(t, err)
	wide := params(1)
	wide.FaceValue = new(big.Int).Lsh(big.NewInt(1), 256)
	_, err = c.ReserveNonces(t.Context(), common.Address{1}, wide, 1, 0)
	require.ErrorAs(t, err, new(*pm.FieldError))
	require.Empty(t, ledger(t, s))
}

// TestNonsenseRefusesOneSpend: what is wrong with one Spend leaves the others of a transaction alone.
func TestNonsenseRefusesOneSpend(t *testing.T) { onEach(t, nonsenseRefusesOneSpend) }

func nonsenseRefusesOneSpend(t *testing.T, place place) {
	c, sender := open(t, place(t)).Chain(testChain), common.Address{1}
	for name, nonsense := range map[string]Spend{
		"no params":  {Sender: sender, Count: 1},
		"no tickets": {Sender: sender, Params: params(1)},
		"an ID":      {Sender: sender, Params: params(1), Count: 1, Request: &Request{ID: "a\x00b"}},
		"a digest":   {Sender: sender, Params: params(1), Count: 1, Request: &Request{ID: "a", Digest: "\xff"}},
		"a record":   {Sender: sender, Params: params(1), Count: 1, Request: &Request{ID: "a", Record: []byte("\xff")}},
	} {
		good := Spend{Sender: sender, Params: params(2), Count: 1}
		outcomes, err := c.ReserveAll(t.Context(), []Spend{good, nonsense, good})
		require.NoError(t, err, name)
		require.NoError(t, outcomes[0].Err, name)
		require.Error(t, outcomes[1].Err, name)
		require.NoError(t, outcomes[2].Err, name)
	}
	used, err := c.UsedNonces(t.Context(), params(1).RecipientRandHash)
	require.NoError(t, err)
	require.Zero(t, used)
}

// TestAPanicLeavesTheStoreUsable: a function of a caller may panic in a transaction, and the caller may
// recover, as an HTTP server does.
func TestAPanicLeavesTheStoreUsable(t *testing.T) { onEach(t, aPanicLeavesTheStoreUsable) }

func aPanicLeavesTheStoreUsable(t *testing.T, place place) {
	location := place(t)
	c, other := open(t, location).Chain(testChain), open(t, location).Chain(testChain)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	panics := Spend{Sender: common.Address{1}, Params: params(1), Count: 1, Allow: func(common.Address, policy.Sum, policy.Spending) error { panic("allow") }}
	require.Panics(t, func() { _, _ = c.Reserve(t.Context(), panics) })
	for _, c := range []*Chain{other, c} {
		nonces, err := c.ReserveNonces(ctx, common.Address{1}, params(2), 1, 0)
		require.NoError(t, err)
		require.NotZero(t, nonces.First)
		used, err := c.UsedNonces(ctx, params(1).RecipientRandHash)
		require.NoError(t, err)
		require.Zero(t, used)
	}
}

func TestLedger(t *testing.T) { onEach(t, ledgerRows) }

func ledgerRows(t *testing.T, place place) {
	s := open(t, place(t))
	before := time.Now().UnixMilli()
	reserve(t, s, params(1), 3)
	rows := ledger(t, s)
	require.Len(t, rows, 1)
	row := rows[0]
	require.Equal(t, params(1).RecipientRandHash.Hex(), row.hash)
	require.EqualValues(t, 1, row.first)
	require.EqualValues(t, 3, row.nonces)
	require.Equal(t, "1337", row.chain)
	require.Equal(t, common.Address{1}.Hex(), row.sender)
	require.Equal(t, common.Address{0xaa}.Hex(), row.recipient)
	require.Equal(t, "4000000000000", row.faceValue)
	require.Equal(t, "140", row.expiration)
	ev, ok := new(big.Rat).SetString(row.ev)
	require.True(t, ok)
	require.Zero(t, ev.Cmp(params(1).EV()), "exact")
	require.GreaterOrEqual(t, row.at, before)
	require.LessOrEqual(t, row.at, time.Now().UnixMilli())
}

func TestACancelledReservationTakesNothing(t *testing.T) {
	onEach(t, aCancelledReservationTakesNothing)
}

func aCancelledReservationTakesNothing(t *testing.T, place place) {
	s := open(t, place(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Chain(testChain).ReserveNonces(ctx, common.Address{1}, params(1), 5, 0)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, pm.NonceRange{First: 1, Count: 1}, reserve(t, s, params(1), 1))
}

// A caller can give up while another connection has the lock.
func TestWaitingForTheLockEndsWithTheContext(t *testing.T) {
	onEach(t, waitingForTheLockEndsWithTheContext)
}

func waitingForTheLockEndsWithTheContext(t *testing.T, place place) {
	path := place(t)
	holder, waiter := open(t, path), open(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	err := holder.write(t.Context(), func(*db.Tx) error {
		done := make(chan error)
		go func() {
			_, err := waiter.Chain(testChain).ReserveNonces(ctx, common.Address{1}, params(1), 5, 0)
			done <- err
		}()
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, pm.NonceRange{First: 1, Count: 1}, reserve(t, waiter, params(1), 1))
}

func TestALockHeldForTooLong(t *testing.T) { onEach(t, aLockHeldForTooLong) }

func aLockHeldForTooLong(t *testing.T, place place) {
	path := place(t)
	holder, waiter := open(t, path), open(t, path)
	waiter.db.Patience = 0
	err := holder.write(t.Context(), func(*db.Tx) error {
		_, err := waiter.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(1), 5, 0)
		require.ErrorIs(t, err, ErrBusy)
		_, err = waiter.Chain(testChain).UsedNonces(t.Context(), common.Hash{})
		require.NoError(t, err, "reads need not wait")
		return nil
	})
	require.NoError(t, err)
}

func TestManyGoroutines(t *testing.T) { onEach(t, manyGoroutines) }

func manyGoroutines(t *testing.T, place place) {
	path := place(t)
	const goroutines, each = 16, 12
	var mu sync.Mutex
	var all []pm.NonceRange
	var wg sync.WaitGroup
	shared := open(t, path)
	for g := range goroutines {
		s := shared
		if g%2 == 1 {
			s = open(t, path)
		}
		wg.Go(func() {
			for i := range each {
				nonces, err := s.Chain(testChain).ReserveNonces(context.Background(), common.Address{1}, params(1), uint32(1+i%3), 0)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				all = append(all, nonces)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Len(t, all, goroutines*each)
	requireGapless(t, all, 1)
}

// requireGapless checks that the ranges are disjoint and fill first, first+1, ….
func requireGapless(t *testing.T, ranges []pm.NonceRange, first uint32) {
	t.Helper()
	slices.SortFunc(ranges, func(a, b pm.NonceRange) int { return int(int64(a.First) - int64(b.First)) })
	next := first
	for _, r := range ranges {
		require.Equal(t, next, r.First)
		next += r.Count
	}
}

type reservation struct {
	hash, chain, sender, recipient, faceValue, ev, expiration string
	first, nonces                                             uint32
	at                                                        int64
}

func ledger(t *testing.T, s *Store) (rows []reservation) {
	t.Helper()
	require.NoError(t, s.db.Read(t.Context(), func(tx *db.Tx) (err error) {
		rows, err = db.List(tx, func(found db.Scanner) (r reservation, err error) {
			err = found.Scan(&r.hash, &r.first, &r.nonces, &r.chain, &r.sender, &r.recipient, &r.faceValue, &r.ev, &r.expiration, &r.at)
			return r, err
		}, `SELECT recipient_rand_hash, first_nonce, nonces, chain_id, sender, recipient, face_value, ticket_ev, expiration_block, reserved_at
			FROM reservations ORDER BY first_nonce`)
		return err
	}))
	return rows
}
