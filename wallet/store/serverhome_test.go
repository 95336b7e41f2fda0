package store

import (
	"net/url"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// usedDatabase makes a store with 5 nonces taken and closes it.
func usedDatabase(t *testing.T, location string) *Store {
	t.Helper()
	s := open(t, location)
	require.Nil(t, s.Retirement())
	reserve(t, s, params(1), 5)
	require.NoError(t, s.Chain(testChain).SaveParams(t.Context(), common.Address{1}, "https://r", []byte("{}")))
	require.NoError(t, s.Close())
	return s
}

// A copy of a database notices that it is one, and the original goes on.
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

// A standby that is promoted may lack the last commits, and so may a restored backup: it
// begins another timeline.
func TestAPromotedStandbyRetires(t *testing.T) {
	var server pgtest.Server
	defer server.Stop()
	location := server.Database(t)
	before := usedDatabase(t, location)
	server.Crash(t, true)
	server.Start(t)
	require.NoError(t, open(t, location).Close(), "it is the same after a crash")
	require.Equal(t, before.ID(), open(t, location).ID())

	server.Crash(t, false)
	server.StartAsStandby(t)
	pgtest.Exec(t, location, `SELECT 1 / pg_promote()::int`)
	requireRetired(t, location, before, "a standby took its place")
}
