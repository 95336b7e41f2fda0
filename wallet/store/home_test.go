package store

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
)

// files are the store's, as somebody would copy them.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	found := make(map[string][]byte)
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		found[entry.Name()] = data
	}
	return found
}

// putBack overwrites files where they are.
func putBack(t *testing.T, dir string, saved map[string][]byte, names ...string) {
	t.Helper()
	for _, name := range names {
		if data, ok := saved[name]; ok {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
		}
	}
}

// used makes a store with 5 nonces taken and closes it.
func used(t *testing.T) (dir, path string, before *Store) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "state")
	path = filepath.Join(dir, "store.db")
	s := open(t, path)
	reserve(t, s, params(1), 5)
	require.NoError(t, s.Chain(testChain).SaveParams(t.Context(), common.Address{1}, "https://r", []byte("{}")))
	require.NoError(t, s.Close())
	return dir, path, s
}

// requireRetired checks that nothing of a store is gone on with.
func requireRetired(t *testing.T, path string, before *Store, reason string) *Store {
	t.Helper()
	s := open(t, path)
	require.NotNil(t, s.Retirement())
	require.Contains(t, s.Retirement().Reason, reason)
	require.NotEqual(t, before.ID(), s.ID(), "params of the old one are refused")
	c := s.Chain(testChain)
	_, err := c.ReserveNonces(t.Context(), common.Address{1}, params(1), 1, 0)
	var retired *RetiredError
	if s.Retirement().Sessions > 0 {
		require.ErrorAs(t, err, &retired)
		_, err = c.UsedNonces(t.Context(), params(1).RecipientRandHash)
		require.ErrorAs(t, err, &retired)
	}
	_, err = c.Params(t.Context(), common.Address{1}, "https://r")
	require.ErrorIs(t, err, ErrNoParams)
	limits, err := limitsOf(policy.EVPerDay, 1000000)
	require.NoError(t, err)
	_, err = c.Reserve(t.Context(), Spend{Sender: common.Address{1}, Params: params(7), Count: 1, Allow: limits.CheckBudget})
	require.ErrorIs(t, err, policy.ErrLimit, "the day's budget counts as spent")
	require.Equal(t, pm.NonceRange{First: 1, Count: 1}, reserve(t, s, params(8), 1), "new sessions begin")
	require.NoError(t, s.Close())

	again := open(t, path)
	require.Nil(t, again.Retirement(), "it says so once")
	require.Equal(t, s.ID(), again.ID())
	require.Equal(t, pm.NonceRange{First: 2, Count: 1}, reserve(t, again, params(8), 1))
	return again
}

// A copy notices that it is one, and the original goes on.
func TestACopyRetires(t *testing.T) {
	dir, path, before := used(t)
	copied := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))

	original := open(t, path)
	require.Nil(t, original.Retirement())
	require.Equal(t, before.ID(), original.ID())
	require.EqualValues(t, 6, reserve(t, original, params(1), 1).First)
	requireRetired(t, filepath.Join(copied, "store.db"), before, "it was at "+path)
	require.EqualValues(t, 7, reserve(t, original, params(1), 1).First)
}

func TestARenamedFolderRetires(t *testing.T) {
	dir, _, before := used(t)
	require.NoError(t, os.Rename(dir, dir+"2"))
	requireRetired(t, filepath.Join(dir+"2", "store.db"), before, "it was at ")
}

// An older copy under the old name, as a restore makes it.
func TestAReplacedFileRetires(t *testing.T) {
	dir, path, before := used(t)
	saved := files(t, dir)
	s := open(t, path)
	reserve(t, s, params(1), 5)
	require.NoError(t, s.Close())
	require.NoError(t, os.Rename(path, path+".old"))
	putBack(t, dir, saved, "store.db")
	requireRetired(t, path, before, "its file is another one")
}

// An older copy written over the file, which stays the same file.
func TestAnOverwrittenFileRetires(t *testing.T) {
	dir, path, before := used(t)
	saved := files(t, dir)
	s := open(t, path)
	reserve(t, s, params(1), 1)
	require.NoError(t, s.Close())
	putBack(t, dir, saved, "store.db")
	requireRetired(t, path, before, "an older copy was put in its place")
}

// An older copy of all files written over them.
func TestAnOverwrittenFolderRetires(t *testing.T) {
	dir, path, before := used(t)
	saved := files(t, dir)
	s := open(t, path)
	for start := time.Now(); time.Since(start) < 2*time.Duration(markSlack); {
		reserve(t, s, params(1), 1)
	}
	require.NoError(t, s.Close())
	putBack(t, dir, saved, "store.db", "store.db-mark")
	requireRetired(t, path, before, "was put back or changed")
}

func TestALostMarkRetires(t *testing.T) {
	_, path, before := used(t)
	require.NoError(t, os.Remove(path+"-mark"))
	requireRetired(t, path, before, "store.db-mark, which goes with it, is gone")
}

// A mark that says nonsense is as good as one that was put back.
func TestABrokenMarkRetires(t *testing.T) {
	for _, text := range []string{"", "x", "00000000000000000002 0000000000000000000x\n"} {
		_, path, before := used(t)
		require.NoError(t, os.WriteFile(path+"-mark", []byte(text), 0o600))
		if text == "" {
			continue
		}
		requireRetired(t, path, before, "was put back or changed")
	}
}

func TestALostStoreIsNoticed(t *testing.T) {
	_, path, before := used(t)
	require.NoError(t, os.Remove(path))
	requireRetired(t, path, before, "the store that was here before is gone")
}

// A file that somebody replaces while it is in use.
func TestAFileThatIsOverwrittenInUse(t *testing.T) {
	dir, path, _ := used(t)
	saved := files(t, dir)
	s := open(t, path)
	reserve(t, s, params(1), 5)
	require.NoError(t, open(t, path).Close())
	_, err := s.db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	require.NoError(t, err)
	putBack(t, dir, saved, "store.db")
	nonces, err := s.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(1), 1, 0)
	if err == nil {
		require.Greater(t, nonces.First, uint32(10), "what SQLite still has in memory is newer")
	} else {
		require.ErrorIs(t, err, ErrDamaged)
	}
}

// What happens to a store on a normal day changes nothing.
func TestAStoreAtHomeStays(t *testing.T) {
	dir, path, before := used(t)
	next := uint32(6)
	for _, visit := range []func(){
		func() {},
		func() { files(t, dir) }, // a backup
		func() { require.NoError(t, os.Chtimes(path, time.Now(), time.Unix(1, 0))) },
		func() { require.NoError(t, os.Chmod(path, 0o600)) },
		func() { // another process at the same time
			s := open(t, path)
			next += reserve(t, s, params(1), 1).Count
		},
	} {
		visit()
		s, err := Open(context.Background(), path)
		require.NoError(t, err)
		require.Nil(t, s.Retirement())
		require.Equal(t, before.ID(), s.ID())
		require.Equal(t, next, reserve(t, s, params(1), 1).First)
		next++
		require.NoError(t, s.Close())
	}
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	require.Nil(t, open(t, filepath.Join(link, "store.db")).Retirement(), "the same file by another name")
}
