package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/oneday"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// server is started by the first test that needs it, and ended by TestMain.
var server pgtest.Server

// place returns the location of a new store.
type place func(testing.TB) string

// places are the databases that a store can be in. Tests run on each of them.
var places = map[string]place{
	"SQLite":     newFile,
	"PostgreSQL": server.Database,
}

// aTest is longer than any test here takes.
const aTest = 20 * time.Second

func newFile(t testing.TB) string { return filepath.Join(t.TempDir(), "new", "store.db") }

func onEach(t *testing.T, test func(*testing.T, place)) {
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			oneday.For(t, aTest)
			test(t, place)
		})
	}
}

// change runs a statement on the tables directly.
func change(t testing.TB, s *Store, statement string, args ...any) {
	t.Helper()
	require.NoError(t, tryChange(t, s, statement, args...))
}

func tryChange(t testing.TB, s *Store, statement string, args ...any) error {
	return s.db.Write(t.Context(), func(tx *db.Tx) error {
		return tx.Exec(statement, args...)
	})
}
