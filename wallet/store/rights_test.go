package store

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// TestRightsThatLackAreNamed: for a role without rights the store is not "damaged", and the
// hint never moves a database away.
func TestRightsThatLackAreNamed(t *testing.T) {
	location := server.Database(t)
	role := databaseOf(t, location) + `-"o"`
	quoted := `"` + databaseOf(t, location) + `-""o"""`
	reserve(t, open(t, location), params(1), 1)
	pgtest.Exec(t, location, `CREATE ROLE `+quoted+` LOGIN PASSWORD 'weak'`)
	weak := edit(t, location, func(u *url.URL) { u.User = url.UserPassword(role, "weak") })

	_, err := Open(t.Context(), weak)
	require.ErrorIs(t, err, ErrAccess)
	require.NotErrorIs(t, err, ErrDamaged)
	require.ErrorContains(t, err, "the schema pmctl")

	pgtest.Exec(t, location, `GRANT USAGE ON SCHEMA pmctl TO `+quoted, `GRANT SELECT ON ALL TABLES IN SCHEMA pmctl TO `+quoted,
		`GRANT INSERT, UPDATE, DELETE ON pmctl.meta, pmctl.sessions TO `+quoted)
	_, err = Open(t.Context(), weak)
	require.ErrorIs(t, err, ErrAccess)
	require.ErrorContains(t, err, " requests")
	require.NotContains(t, err.Error(), " sessions")
	require.NotContains(t, err.Error(), "the schema pmctl")

	// The statement of the hint helps.
	pgtest.Exec(t, location, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pmctl TO `+quoted)
	said, _ := hint.Of(err)
	require.Contains(t, said, quoted)
	reserve(t, open(t, weak), params(2), 1)
}

// TestADatabaseIsNotToBeMovedAway: the hint for a file does not apply to a database.
func TestADatabaseIsNotToBeMovedAway(t *testing.T) {
	require.NotContains(t, (&DamagedError{Path: "postgres://me@host:5432/db"}).Hint(), "move it")
	require.Contains(t, (&DamagedError{Path: "/home/me/store.db"}).Hint(), "move it")
}
