package store

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/tx"
)

// accountant is a journal of one run, and what it signs.
type accountant struct {
	t *testing.T
	*Journal
}

var payer = common.Address{0xee}

func newAccountant(t *testing.T, s *Store) accountant {
	j := s.Journal("1337/devnet")
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	return accountant{t, j}
}

// unsigned is a transaction that differs from others by nonce and value.
func unsigned(nonce, value uint64) *types.Transaction {
	return types.NewTx(&types.DynamicFeeTx{
		ChainID: big.NewInt(1337), Nonce: nonce, To: &common.Address{1}, Value: new(big.Int).SetUint64(value),
		GasFeeCap: big.NewInt(2), GasTipCap: big.NewInt(1), Gas: 21000,
	})
}

func (a accountant) begin(requestID, label string, pending, value uint64) (*tx.Intent, error) {
	intent := &tx.Intent{Account: payer, RequestID: requestID, Label: label}
	return intent, a.Begin(context.Background(), intent, pending, func(nonce uint64) (*types.Transaction, error) { return unsigned(nonce, value), nil })
}

func (a accountant) begun(requestID, label string, pending, value uint64) *tx.Intent {
	a.t.Helper()
	intent, err := a.begin(requestID, label, pending, value)
	require.NoError(a.t, err)
	return intent
}

func (a accountant) resumed(requestID, label string) *tx.Intent {
	a.t.Helper()
	intent, err := a.Resume(a.t.Context(), payer, requestID, label)
	require.NoError(a.t, err)
	return intent
}

// die ends a run as a crash does: its lock goes, and nothing is written.
func (a accountant) die() {
	switch r := a.run.(type) {
	case *fileRun:
		require.NoError(a.t, r.lock.Unlock())
	case *serverRun:
		_, err := r.conn.ExecContext(a.t.Context(), `SELECT pg_advisory_unlock_all()`)
		require.NoError(a.t, err)
	}
}

func TestNoncesFillGaps(t *testing.T) { onEach(t, noncesFillGaps) }

func noncesFillGaps(t *testing.T, place place) {
	a := newAccountant(t, open(t, place(t)))
	var intents []*tx.Intent
	for i := range uint64(4) {
		intents = append(intents, a.begun("", "fund", 5, i))
		require.Equal(t, 5+i, intents[i].Nonce)
	}
	require.NoError(t, a.Forget(t.Context(), intents[1]))
	require.EqualValues(t, 6, a.begun("", "fund", 5, 10).Nonce, "the gap comes first")
	require.EqualValues(t, 9, a.begun("", "fund", 5, 11).Nonce)
	require.EqualValues(t, 20, a.begun("", "fund", 20, 12).Nonce, "the node knows more")
	require.NoError(t, a.Settle(t.Context(), intents[3], tx.Mined, intents[3].Newest().Hash()))
	require.EqualValues(t, 10, a.begun("", "fund", 0, 13).Nonce, "a node that is behind what was mined is not believed")

	between, err := a.Between(t.Context(), payer, 6, 9)
	require.NoError(t, err)
	require.Len(t, between, 3)
	require.EqualValues(t, 6, between[0].Nonce, "in the order in which they must be mined")
}

func TestResume(t *testing.T) { onEach(t, journalResume) }

func journalResume(t *testing.T, place place) {
	path := place(t)
	run := func() accountant { return newAccountant(t, open(t, path)) }
	first, second := run(), run()
	require.Nil(t, first.resumed("", "fund 1"))
	begun := first.begun("", "fund 1", 0, 1)

	require.Nil(t, second.resumed("", "fund 1"), "a run that lives is another intent")
	require.NoError(t, first.End(t.Context(), begun, true))
	require.Nil(t, second.resumed("", "fund 1"), "it still lives")
	require.NoError(t, first.Close())
	require.Nil(t, second.resumed("", "fund 1"), "one that ended well is another intent too")

	first = run()
	begun = first.begun("", "fund 1", 0, 2)
	require.NoError(t, first.End(t.Context(), begun, false))
	require.NoError(t, first.Close())
	require.Nil(t, second.resumed("", "fund 2"), "another command is")
	again := second.resumed("", "fund 1")
	require.Equal(t, begun.ID, again.ID)
	require.Equal(t, begun.Newest().Hash(), again.Newest().Hash())
	third := run()
	require.Nil(t, third.resumed("", "fund 1"), "the second run works on it now")
	second.die()
	require.Equal(t, begun.ID, third.resumed("", "fund 1").ID, "that one died")

	// Killed when everything was done, and nobody could know yet.
	require.NoError(t, third.End(t.Context(), begun, true))
	third.die()
	if _, files := third.run.(*fileRun); files {
		require.Equal(t, begun.ID, run().resumed("", "fund 1").ID)
	}
}

func TestRequestsAreForEver(t *testing.T) { onEach(t, requestsAreForEver) }

func requestsAreForEver(t *testing.T, place place) {
	path := place(t)
	first, second := newAccountant(t, open(t, path)), newAccountant(t, open(t, path))
	begun := first.begun("a", "fund 1", 0, 1)
	_, err := second.begin("a", "fund 1", 0, 2)
	require.ErrorIs(t, err, tx.ErrTaken)
	require.Equal(t, begun.ID, second.resumed("a", "fund 1").ID, "though the first run lives")
	require.NoError(t, first.Settle(t.Context(), begun, tx.Mined, begun.Newest().Hash()))
	require.NoError(t, first.End(t.Context(), begun, true))
	settled := second.resumed("a", "fund 1")
	require.Equal(t, tx.Mined, settled.State)
	require.Equal(t, begun.Newest().Hash(), settled.SettledBy)

	_, err = second.Resume(t.Context(), payer, "a", "fund 2")
	var other *tx.RequestError
	require.ErrorAs(t, err, &other)
	require.Equal(t, "fund 1", other.Label)
	require.Nil(t, second.resumed("b", "fund 1"))
	require.NotEqual(t, begun.Nonce, second.begun("b", "fund 1", 0, 3).Nonce)

	elsewhere, err := first.store.Journal("1/mainnet").Resume(t.Context(), payer, "a", "fund 1")
	require.NoError(t, err)
	require.Nil(t, elsewhere, "each network has its own")
}

func TestAttempts(t *testing.T) { onEach(t, journalAttempts) }

func journalAttempts(t *testing.T, place place) {
	a := newAccountant(t, open(t, place(t)))
	begun := a.begun("", "fund", 0, 1)
	bump := tx.Attempt{Tx: unsigned(0, 2), Kind: tx.KindBump, At: begun.CreatedAt.Add(1e9)}
	require.NoError(t, a.Add(t.Context(), begun, bump))
	for _, attempt := range begun.Attempts {
		found, err := a.Find(t.Context(), attempt.Tx.Hash())
		require.NoError(t, err)
		require.Equal(t, begun.ID, found.ID)
		require.Len(t, found.Attempts, 2)
		require.Equal(t, bump.Tx.Hash(), found.Newest().Hash())
		require.Equal(t, tx.KindBump, found.Attempts[1].Kind)
	}
	_, err := a.Find(t.Context(), common.Hash{1})
	require.ErrorIs(t, err, tx.ErrUnknown)
	list, err := a.Intents(t.Context(), payer)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Error(t, a.Add(t.Context(), begun, bump), "the same transaction is kept once")
}

// What cannot be signed leaves no trace.
func TestUnsignedIsNotKept(t *testing.T) { onEach(t, unsignedIsNotKept) }

func unsignedIsNotKept(t *testing.T, place place) {
	a := newAccountant(t, open(t, place(t)))
	no := errors.New("no")
	intent := &tx.Intent{Account: payer, Label: "fund", RequestID: "a"}
	require.ErrorIs(t, a.Begin(t.Context(), intent, 0, func(uint64) (*types.Transaction, error) { return nil, no }), no)
	require.Empty(t, intent.ID)
	require.Nil(t, a.resumed("a", "fund"))
	require.EqualValues(t, 0, a.begun("a", "fund", 0, 1).Nonce)
}

func TestDamagedJournal(t *testing.T) { onEach(t, damagedJournal) }

func damagedJournal(t *testing.T, place place) {
	s := open(t, place(t))
	a := newAccountant(t, s)
	a.begun("", "fund", 0, 1)
	for _, damage := range []string{`UPDATE attempts SET raw = 'zz'`, `UPDATE attempts SET raw = '02'`, `DELETE FROM attempts`} {
		change(t, s, damage)
		_, err := a.Intents(t.Context(), payer)
		require.ErrorIs(t, err, ErrDamaged, damage)
	}
}
