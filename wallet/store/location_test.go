package store

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLocationsThatAreRefused: locations that look like neither a file nor a database. A
// machine of a fleet must not count alone in a file that it silently created.
func TestLocationsThatAreRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, location := range []string{
		"postgres:me:sec:ret@host/db", "postgres:/me@host/db", "postgresql:host/db", "file:store.db", "file:///tmp/x", "file:store.db?mode=memory", ":memory:",
		"mysql://host/db", "word:store", "hst=localhost dbname=x", "name=secret", "sqlite3:store.db",
		"~/store.db", "~root/store.db", "store.db ", "./store.db\r", "\tstore.db", " ",
	} {
		_, err := Open(t.Context(), location)
		require.ErrorIs(t, err, ErrLocation, location)
		require.NotContains(t, err.Error(), "sec", location)
		require.Equal(t, "an unusable location", Display(location))
		require.False(t, HasPassword(location))
	}
	left, err := filepath.Glob("*")
	require.NoError(t, err)
	require.Empty(t, left, "no file of that name")
}

// TestNoPartOfAPasswordIsShown: an unescaped character must not turn half of a password into a
// host or a database.
func TestNoPartOfAPasswordIsShown(t *testing.T) {
	for _, location := range []string{
		"postgres://me:12@34@host/db", "postgres://me:12#34@host/db", "postgres://me:12/34@host/db",
		"postgres://me:12/3@4@host/db", "postgres://me:12@host/d@b",
	} {
		_, err := Open(t.Context(), location)
		require.ErrorIs(t, err, ErrLocation, location)
		for _, shown := range []string{err.Error(), Display(location)} {
			require.NotContains(t, shown, "12", location)
			require.NotContains(t, shown, "34", location)
		}
	}
	// In settings a password needs only quotes.
	require.Equal(t, "postgres://me@host:5432/wallet", Display("host=host user=me dbname=wallet password='12@34 5'"))
	require.True(t, HasPassword("host=host user=me password=12@34"))
	require.False(t, HasPassword("host=host user=me"))
}

// TestReadsTakeLocationsAsOpenDoes: reads must not take a database, or a refused location, for
// a missing file.
func TestReadsTakeLocationsAsOpenDoes(t *testing.T) {
	_, err := Check(t.Context(), ":memory:")
	require.ErrorIs(t, err, ErrLocation)
	_, err = Check(t.Context(), "host=127.0.0.1 port=1 dbname=wallet user=me connect_timeout=1")
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrNoStore)
}
