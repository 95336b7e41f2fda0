package store

import (
	"net/url"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// usedDatabase makes a store with 5 nonces taken and closes it.
func usedDatabase(t *testing.T, location string, options ...Option) *Store {
	t.Helper()
	s, err := Open(t.Context(), location, options...)
	require.NoError(t, err)
	require.Nil(t, s.Retirement())
	require.False(t, s.Unremembered(), "it is new")
	reserve(t, s, params(1), 5)
	require.NoError(t, s.Chain(testChain).SaveParams(t.Context(), common.Address{1}, "https://r", []byte("{}")))
	require.NoError(t, s.Close())
	return s
}

// A copied database is detected, and the original continues.
func TestACopiedDatabaseRetires(t *testing.T) {
	location := server.Database(t)
	before := usedDatabase(t, location)
	name := databaseOf(t, location)
	postgres := edit(t, location, func(u *url.URL) { u.Path = "/postgres" })
	pgtest.Exec(t, postgres, `CREATE DATABASE copy_of_`+name+` TEMPLATE `+name)
	requireRetired(t, edit(t, location, func(u *url.URL) { u.Path = "/copy_of_" + name }), before, "it was at database")

	again := open(t, location)
	require.Nil(t, again.Retirement())
	require.EqualValues(t, 6, reserve(t, again, params(1), 1).First)
}

// A promoted standby, or a restored backup, may lack the last commits: it begins another
// timeline. A process that has the store open detects that with its next write.
func TestAPromotedStandbyRetires(t *testing.T) {
	var server pgtest.Server
	defer server.Stop()
	location := server.Database(t)
	before := usedDatabase(t, location)
	server.Crash(t, true)
	server.Start(t)
	require.NoError(t, open(t, location).Close(), "it is the same after a crash")
	require.Equal(t, before.ID(), open(t, location).ID())

	inUse := open(t, location)
	reserve(t, inUse, params(2), 1)
	promote := func() {
		server.Crash(t, false)
		server.StartAsStandby(t)
		pgtest.Exec(t, location, `SELECT 1 / pg_promote()::int`)
	}
	promote()
	requireRestoredInUse(t, inUse, CauseServer)
	require.NotEqual(t, before.ID(), inUse.ID(), "params of the old one are refused")
	_, err := inUse.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(2), 1, 0)
	require.ErrorIs(t, err, ErrRetired)
	_, err = inUse.Chain(testChain).Reserve(t.Context(), spendFor("lost", 3))
	require.ErrorAs(t, err, new(*UnacknowledgedError))
	reserve(t, inUse, params(3), 1)
	require.NoError(t, inUse.Close())
	require.Nil(t, open(t, location).Retirement(), "it is done")

	promote()
	requireRetired(t, location, inUse, "a standby was promoted")
}

// A dump that is restored into the same database has new tables, for every machine.
func TestARestoredDumpRetires(t *testing.T) {
	location := server.Database(t)
	before := usedDatabase(t, location)
	dump := server.Dump(t, location, "--clean", "--if-exists")
	s := open(t, location)
	reserve(t, s, params(1), 5)
	require.NoError(t, s.Close())
	server.Psql(t, location, dump)
	requireRetired(t, location, before, "its tables were created again")
}

// Only the rows are restored, into the existing tables: a machine that saw later rows detects
// it, even though another machine has used the store since. The other machine then has no
// second alarm.
func TestRestoredRowsRetire(t *testing.T) {
	location := server.Database(t)
	newer, older, stranger := newMemory(t), newMemory(t), newMemory(t)
	usedDatabase(t, location, RememberIn(older))
	rows := server.Dump(t, location, "--data-only", "--schema=pmctl")
	s := machine(t, location, newer)
	require.True(t, s.Unremembered(), "it was in use before this machine came")
	_, err := s.Chain(testChain).Reserve(t.Context(), spendFor("lost", 1))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	again := machine(t, location, newer)
	require.False(t, again.Unremembered())
	reserve(t, again, params(1), 1)

	server.Psql(t, location, `TRUNCATE pmctl.meta, pmctl.sessions, pmctl.reservations, pmctl.requests, pmctl.params, pmctl.recipients,
		pmctl.spending, pmctl.spending_days, pmctl.former_ids, pmctl.writers CASCADE;`+rows)
	cannotTell := machine(t, location, stranger)
	require.True(t, cannotTell.Unremembered())
	require.Nil(t, cannotTell.Retirement())
	for range 10 {
		reserve(t, cannotTell, params(1), 1)
	}
	sameAge := machine(t, location, older)
	require.False(t, sameAge.Unremembered())
	require.Nil(t, sameAge.Retirement(), "it saw nothing that is missing")

	report, err := Check(t.Context(), location, RememberIn(newer))
	require.NoError(t, err)
	require.Equal(t, Cause{Code: CauseFork}.String(), report.CopyReason)
	requireRestoredInUse(t, again, CauseFork)
	_, err = cannotTell.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(9), 1, 0)
	require.ErrorAs(t, err, new(*RestoredError), "a request for the old store is refused")
	_, err = cannotTell.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(1), 1, 0)
	require.ErrorIs(t, err, ErrRetired)
	require.Equal(t, again.ID(), cannotTell.ID())
	for _, memory := range []string{newer, older, stranger} {
		require.Nil(t, machine(t, location, memory).Retirement())
	}
	report, err = Check(t.Context(), location, RememberIn(newer))
	require.NoError(t, err)
	require.Empty(t, report.CopyReason)
	require.Equal(t, CauseFork, report.Restored.Cause.Code)
}

// A machine reads the store's ID again after another one has written, and after another one has retired
// the sessions: both take a second look at what the machine remembers.
func TestAnotherMachinesID(t *testing.T) {
	location := server.Database(t)
	agent, other := machine(t, location, newMemory(t)), machine(t, location, newMemory(t))
	reserve(t, agent, params(1), 1)
	reserve(t, other, params(1), 1)
	id, err := agent.Refresh(t.Context())
	require.NoError(t, err)
	require.Equal(t, other.ID(), id)

	dump := server.Dump(t, location, "--clean", "--if-exists")
	server.Psql(t, location, dump)
	requireRestoredInUse(t, other, CauseTables)
	require.NotEqual(t, id, other.ID())
	id, err = agent.Refresh(t.Context())
	require.NoError(t, err)
	require.Equal(t, other.ID(), id)
	require.Equal(t, id, agent.ID())
}

// A base backup that is started in place is the same server on the same timeline.
func TestAStartedBaseBackupRetires(t *testing.T) {
	var server pgtest.Server
	defer server.Stop()
	location := server.Database(t)
	memory := newMemory(t)
	before := usedDatabase(t, location, RememberIn(memory))
	backup := server.Backup(t)
	s := machine(t, location, memory)
	reserve(t, s, params(1), 5)
	server.Crash(t, false)
	server.StartFrom(t, backup)
	requireRestoredInUse(t, s, CauseOlder)
	require.NotEqual(t, before.ID(), s.ID())
	require.Nil(t, machine(t, location, memory).Retirement())
}

// A database that was dropped and created again.
func TestADatabaseThatIsGoneIsNoticed(t *testing.T) {
	location := server.Database(t)
	mine, theirs := newMemory(t), newMemory(t)
	usedDatabase(t, location, RememberIn(mine))
	require.NoError(t, machine(t, location, theirs).Close())
	pgtest.Exec(t, location, `DROP SCHEMA pmctl CASCADE`)
	s := machine(t, location, mine)
	require.Equal(t, CauseGone, s.Retirement().Reason.Code)
	require.Nil(t, machine(t, location, theirs).Retirement(), "it remembers the same store")
}

// Maintenance of a database is not a restore.
func TestADatabaseAtHomeStays(t *testing.T) {
	location := server.Database(t)
	memory := newMemory(t)
	before := usedDatabase(t, location, RememberIn(memory))
	inUse := machine(t, location, memory)
	for i, statement := range []string{
		`VACUUM FULL`, `REINDEX SCHEMA pmctl`, `CLUSTER pmctl.sessions USING sessions_pkey`, `ANALYZE`, `CHECKPOINT`, `SELECT pg_switch_wal()`,
		`ALTER TABLE pmctl.requests ADD COLUMN of_theirs INT`, `CREATE TABLE pmctl.of_theirs (a INT)`,
	} {
		pgtest.Exec(t, location, statement)
		s := machine(t, location, memory)
		require.Nil(t, s.Retirement(), statement)
		require.False(t, s.Unremembered(), statement)
		require.Equal(t, before.ID(), s.ID())
		require.EqualValues(t, 6+2*i, reserve(t, s, params(1), 1).First)
		require.EqualValues(t, 7+2*i, reserve(t, inUse, params(1), 1).First)
		require.NoError(t, s.Close())
	}
}
