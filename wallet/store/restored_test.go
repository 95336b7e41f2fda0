package store

import (
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
)

// restoredFile returns a store that was set back to 5 nonces of a session and the request
// "kept", after the request "lost" was made.
func restoredFile(t *testing.T) *Store {
	dir, path, _ := used(t)
	s := open(t, path)
	_, err := s.Chain(testChain).Reserve(t.Context(), spendFor("kept", 1))
	require.NoError(t, err)
	newAccountant(t, s).begun("kept", "fund", 0, 1)
	require.NoError(t, s.Close())
	saved := files(t, dir)
	s = open(t, path)
	_, err = s.Chain(testChain).Reserve(t.Context(), spendFor("lost", 1))
	require.NoError(t, err)
	newAccountant(t, s).begun("lost", "fund", 1, 1)
	require.NoError(t, s.Close())
	restoreFiles(t, dir, saved, "store.db")
	s = open(t, path)
	require.NotNil(t, s.Retirement())
	return s
}

func spendFor(id string, session byte) Spend {
	return Spend{Sender: common.Address{1}, Params: params(session), Count: 1, Request: &Request{ID: id, Digest: "d", Record: []byte("r")}}
}

// A restored store does nothing under an ID that it may have lost, until that is acknowledged:
// no tickets, no payment, no transaction.
func TestNoUnknownIDIsNewInARestoredStore(t *testing.T) {
	s := restoredFile(t)
	c, a := s.Chain(testChain), newAccountant(t, s)
	requireRefused := func(err error) {
		t.Helper()
		var unacknowledged *UnacknowledgedError
		require.ErrorAs(t, err, &unacknowledged)
		require.Equal(t, CauseOlder, unacknowledged.Cause.Code)
		require.Contains(t, unacknowledged.Hint(), "pmctl store acknowledge")
	}
	_, err := c.Requested(t.Context(), common.Address{1}, *spendFor("lost", 9).Request)
	requireRefused(err)
	_, err = c.Reserve(t.Context(), spendFor("lost", 9))
	requireRefused(err)
	outcomes, err := c.ReserveAll(t.Context(), []Spend{spendFor("lost", 9), {Sender: common.Address{1}, Params: params(8), Count: 1}})
	require.NoError(t, err)
	requireRefused(outcomes[0].Err)
	require.NoError(t, outcomes[1].Err, "what has no id is not taken for what was lost")
	drawn := spendFor("drawn", 9)
	drawn.Request.Drawn = true
	_, err = c.Reserve(t.Context(), drawn)
	require.NoError(t, err, "nor is an id that was drawn just now")
	_, err = a.Resume(t.Context(), payer, "lost", "fund")
	requireRefused(err)
	_, err = a.begin("lost", "fund", 1, 2)
	requireRefused(err)
	_, err = a.begin("", "unlock", 1, 2)
	requireRefused(err) // the same command without an id resumes what is open, and that may be lost
	_, err = a.Resume(t.Context(), payer, "", "unlock")
	requireRefused(err)

	record, err := c.Requested(t.Context(), common.Address{1}, *spendFor("kept", 9).Request)
	require.NoError(t, err)
	require.EqualValues(t, 6, record.First().Nonces.First, "what the store knows is as it was")
	require.Equal(t, "kept", a.resumed("kept", "fund").RequestID)
	require.NoError(t, s.Close())
	s = open(t, s.Path())
	_, err = s.Chain(testChain).Reserve(t.Context(), spendFor("lost", 9))
	requireRefused(err)
}

func TestAcknowledge(t *testing.T) {
	s := restoredFile(t)
	c, a := s.Chain(testChain), newAccountant(t, s)
	limits, err := limitsOf(policy.EVPerDay, 1000000)
	require.NoError(t, err)
	budgeted := spendFor("lost", 9)
	budgeted.Allow = limits.CheckBudget

	found, err := s.Restored(t.Context())
	require.NoError(t, err)
	require.Equal(t, CauseOlder, found.Cause.Code)
	kept, err := a.Intents(t.Context(), payer)
	require.NoError(t, err)
	require.Equal(t, kept[0].Attempts[0].At, found.Newest, "the newest record of the store")

	other := *found
	other.Cause.Code = CauseFile
	require.ErrorAs(t, s.Acknowledge(t.Context(), other), new(*UnacknowledgedError), "it is not what was found")
	require.NoError(t, s.Acknowledge(t.Context(), *found))
	require.NoError(t, s.Acknowledge(t.Context(), *found), "another process was faster")
	found, err = s.Restored(t.Context())
	require.NoError(t, err)
	require.Nil(t, found)
	made, err := c.Reserve(t.Context(), budgeted)
	require.NoError(t, err, "the budget counts the recorded spending")
	require.Equal(t, pm.NonceRange{First: 1, Count: 1}, made.Nonces)
	a.begun("lost", "fund", 1, 2)
	_, err = c.UsedNonces(t.Context(), params(1).RecipientRandHash)
	require.ErrorIs(t, err, ErrRetired, "sessions stay retired")

	require.NoError(t, s.Close())
	again := open(t, s.Path())
	require.Nil(t, again.Retirement())
	require.Equal(t, s.ID(), again.ID())
	_, err = again.Chain(testChain).Reserve(t.Context(), spendFor("new", 9))
	require.NoError(t, err)
}

// An unacknowledged cause stays, also in another store.
func TestDoubtIsCarried(t *testing.T) { onEach(t, doubtIsCarried) }

func doubtIsCarried(t *testing.T, place place) {
	s := restoredFile(t)
	location := place(t)
	to := open(t, location)
	require.NoError(t, s.Migrate(t.Context(), to))
	require.NoError(t, to.Close())
	to = open(t, location)
	require.Nil(t, to.Retirement(), "it replaced an empty store")
	_, err := to.Chain(testChain).Reserve(t.Context(), spendFor("lost", 9))
	require.ErrorAs(t, err, new(*UnacknowledgedError))
	_, err = to.Chain(testChain).Reserve(t.Context(), spendFor("kept", 9))
	require.NoError(t, err)
}

// An exported ledger has no transactions, and may be out of date.
func TestAnImportedLedgerIsInDoubt(t *testing.T) { onEach(t, anImportedLedgerIsInDoubt) }

func anImportedLedgerIsInDoubt(t *testing.T, place place) {
	from := open(t, newFile(t))
	_, err := from.Chain(testChain).Reserve(t.Context(), spendFor("kept", 1))
	require.NoError(t, err)
	dump, err := from.Export(t.Context())
	require.NoError(t, err)
	s := open(t, place(t))
	require.NoError(t, s.Import(t.Context(), dump))
	_, err = newAccountant(t, s).begin("a", "fund", 0, 1)
	require.ErrorAs(t, err, new(*UnacknowledgedError))
	found, err := s.Restored(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Acknowledge(t.Context(), *found))
	newAccountant(t, s).begun("a", "fund", 0, 1)
}

// machine opens a database's store as a machine with its own memory.
func machine(t *testing.T, location, memory string) *Store {
	t.Helper()
	s, err := Open(t.Context(), location, RememberIn(memory))
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func newMemory(t *testing.T) string { return filepath.Join(t.TempDir(), "databases") }
