package store

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/internal/tx"
)

func TestBeginLooksAgain(t *testing.T) { onEach(t, beginLooksAgain) }

// A run that found nothing to continue learns in Begin that another run has begun the same
// since, and ended without knowing the result.
func beginLooksAgain(t *testing.T, place place) {
	path := place(t)
	first, second := newAccountant(t, open(t, path)), newAccountant(t, open(t, path))
	require.Nil(t, second.resumed("", "fund 1"))
	begun := first.begun("", "fund 1", 0, 1)
	require.NoError(t, first.End(t.Context(), begun, false))
	require.NoError(t, first.Close())
	_, err := second.begin("", "fund 1", 0, 2)
	var busy *tx.InProgressError
	require.ErrorAs(t, err, &busy)
	require.Equal(t, begun.ID, busy.Intent.ID)
}

func TestACommandContinuesItsOwnFirst(t *testing.T) { onEach(t, aCommandContinuesItsOwnFirst) }

// An open intent with a request ID keeps a command without one from beginning another, but not
// from continuing its own earlier one, which has the lower nonce.
func aCommandContinuesItsOwnFirst(t *testing.T, place place) {
	path := place(t)
	first, second := newAccountant(t, open(t, path)), newAccountant(t, open(t, path))
	begun := first.begun("", "fund 1", 0, 1)
	require.NoError(t, first.End(t.Context(), begun, false))
	require.NoError(t, first.Close())
	requested := second.begun("a", "fund 1", 0, 2)
	require.Greater(t, requested.Nonce, begun.Nonce)
	require.Equal(t, begun.ID, second.resumed("", "fund 1").ID)
	second.record(begun, tx.Mined, begun.Newest().Hash())
	require.NoError(t, second.End(t.Context(), begun, true))
	require.NoError(t, second.Close())
	third := newAccountant(t, open(t, path))
	third.refuses("fund 1", requested)
}

func TestARefusedNonceIsHeldByAnOpenIntent(t *testing.T) { onEach(t, aRefusedNonceIsHeld) }

// Of two intents with one nonce the refused one waits while the other is open, and not once
// that is refused too.
func aRefusedNonceIsHeld(t *testing.T, place place) {
	a := newAccountant(t, open(t, place(t)))
	refused := a.begun("", "fund 1", 0, 1)
	a.record(refused, tx.Refused, common.Hash{})
	other := a.begun("", "fund 2", 0, 2)
	require.Equal(t, refused.Nonce, other.Nonce)
	again := tx.Attempt{Tx: unsigned(refused.Nonce, 3), Kind: tx.KindCall}
	require.ErrorIs(t, a.Add(t.Context(), refused, again), tx.ErrHeld)
	a.record(other, tx.Refused, common.Hash{})
	require.NoError(t, a.Add(t.Context(), refused, again))
}

// TestADeadRunsTransactionIsUnreported: a run that died may have known its result and not have
// reported it. It stays unreported when a run that only waits takes it over. A database does
// not tell a run that died from one that ended.
func TestADeadRunsTransactionIsUnreported(t *testing.T) {
	path := newFile(t)
	run := func() accountant { return newAccountant(t, open(t, path)) }
	first, waiter, next := run(), run(), run()
	begun := first.begun("", "fund 1", 0, 1)
	first.record(begun, tx.Mined, begun.Newest().Hash())
	require.NoError(t, first.End(t.Context(), begun, true))
	first.die()
	require.NoError(t, waiter.Adopt(t.Context(), begun))
	require.NoError(t, waiter.Close())
	require.Equal(t, begun.ID, next.resumed("", "fund 1").ID)
}
