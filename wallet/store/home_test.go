package store

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// files reads a store's files, as a user would copy them.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	found := make(map[string][]byte)
	for _, entry := range entries {
		if entry.IsDir() {
			continue // the runs, which are empty
		}
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		found[entry.Name()] = data
	}
	return found
}

// restoreFiles overwrites files in place.
func restoreFiles(t *testing.T, dir string, saved map[string][]byte, names ...string) {
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

// requireRetired checks that no session of a store is continued.
func requireRetired(t *testing.T, path string, before *Store, reason string) *Store {
	t.Helper()
	s := open(t, path)
	require.NotNil(t, s.Retirement())
	require.Contains(t, s.Retirement().Reason.String(), reason)
	require.NotEqual(t, before.ID(), s.ID(), "params of the old one are refused")
	c := s.Chain(testChain)
	_, err := c.ReserveNonces(t.Context(), common.Address{1}, params(1), 1, 0)
	if s.Retirement().Sessions > 0 {
		require.ErrorIs(t, err, ErrRetired)
		_, err = c.UsedNonces(t.Context(), params(1).RecipientRandHash)
		require.ErrorIs(t, err, ErrRetired)
	}
	_, err = c.Params(t.Context(), common.Address{1}, "https://r")
	require.ErrorIs(t, err, ErrNoParams)
	limits, err := limitsOf(policy.EVPerDay, 1000000)
	require.NoError(t, err)
	_, err = c.Reserve(t.Context(), Spend{Sender: common.Address{1}, Params: params(7), Count: 1, Allow: limits.CheckBudget})
	require.ErrorIs(t, err, policy.ErrLimit, "the day's budget counts as spent")
	require.Equal(t, pm.NonceRange{First: 1, Count: 1}, reserve(t, s, params(8), 1), "new sessions are possible")
	require.NoError(t, s.Close())

	again := open(t, path)
	require.Nil(t, again.Retirement(), "it is reported once")
	require.Equal(t, s.ID(), again.ID())
	require.Equal(t, pm.NonceRange{First: 2, Count: 1}, reserve(t, again, params(8), 1))
	return again
}

// A copy is detected, and the original continues.
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

// A store that was last written by another machine or server.
func TestAnotherMachineRetires(t *testing.T) { onEach(t, anotherMachineRetires) }

func anotherMachineRetires(t *testing.T, place place) {
	location := place(t)
	before := usedDatabase(t, location)
	s := open(t, location)
	change(t, s, `UPDATE meta SET value = REPLACE(value, '"machine":"', '"machine":"0') WHERE name = 'home'`)
	require.NoError(t, s.Close())
	requireRetired(t, location, before, "it was on another machine before")
}

func TestARenamedFolderRetires(t *testing.T) {
	dir, _, before := used(t)
	require.NoError(t, os.Rename(dir, dir+"2"))
	requireRetired(t, filepath.Join(dir+"2", "store.db"), before, "it was at ")
}

// An older copy under the old name, as a restore creates it.
func TestAReplacedFileRetires(t *testing.T) {
	dir, path, before := used(t)
	saved := files(t, dir)
	s := open(t, path)
	reserve(t, s, params(1), 5)
	require.NoError(t, s.Close())
	require.NoError(t, os.Rename(path, path+".old"))
	restoreFiles(t, dir, saved, "store.db")
	requireRetired(t, path, before, "its file is a different one than before")
}

// An older copy written over the file, which stays the same file.
func TestAnOverwrittenFileRetires(t *testing.T) {
	dir, path, before := used(t)
	saved := files(t, dir)
	s := open(t, path)
	reserve(t, s, params(1), 1)
	require.NoError(t, s.Close())
	restoreFiles(t, dir, saved, "store.db")
	requireRetired(t, path, before, "it was replaced by an older copy")
}

// An older copy of all files written over them, as cp -a does: the files stay the same,
// and have the times that they had in the backup.
func TestAnOverwrittenFolderRetires(t *testing.T) {
	dir, path, before := used(t)
	saved := t.TempDir()
	copyAll(t, dir, saved)
	s := open(t, path)
	reserve(t, s, params(1), 1)
	require.NoError(t, s.Close())
	copyAll(t, saved, dir)
	requireRetired(t, path, before, "it was replaced by an older copy")
	require.Len(t, marks(t, path), 1, "the copy's marks are removed")
}

// An older copy of the folder that replaces its content, written over the files there. Newer
// files are deleted first.
func TestAMirroredFolderRetires(t *testing.T) {
	dir, path, before := used(t)
	saved := t.TempDir()
	copyAll(t, dir, saved)
	s := open(t, path)
	reserve(t, s, params(1), 1)
	require.NoError(t, s.Close())
	copyAll(t, saved, dir)
	require.NoError(t, os.Remove(newestMark(t, path)))
	requireRetired(t, path, before, "the mark beside it was replaced")
}

func copyAll(t *testing.T, from, to string) {
	t.Helper()
	for name, data := range files(t, from) {
		require.NoError(t, os.WriteFile(filepath.Join(to, name), data, 0o600))
		info, err := os.Stat(filepath.Join(from, name))
		require.NoError(t, err)
		require.NoError(t, os.Chtimes(filepath.Join(to, name), info.ModTime(), info.ModTime()))
	}
}

// marks are the marks beside a store.
func marks(t *testing.T, path string) []string {
	t.Helper()
	found, err := filepath.Glob(path + "-mark.*")
	require.NoError(t, err)
	return found
}

func newestMark(t *testing.T, path string) string {
	t.Helper()
	m := markOf(path)
	_, known, err := m.recall()
	require.NoError(t, err)
	require.True(t, known)
	return m.path
}

func TestALostMarkRetires(t *testing.T) {
	_, path, before := used(t)
	require.NoError(t, os.Remove(newestMark(t, path)))
	requireRetired(t, path, before, "the mark beside it is missing")
}

// A mark that is removed while a process has the store open.
func TestAMarkThatIsLostInUse(t *testing.T) {
	_, path, before := used(t)
	s := open(t, path)
	require.NoError(t, os.Remove(newestMark(t, path)))
	for range 2 {
		requireRestoredInUse(t, s, CauseNoMark)
	}
	requireRetired(t, path, before, "the mark beside it is missing")
}

func requireRestoredInUse(t *testing.T, s *Store, code CauseCode) {
	t.Helper()
	_, err := s.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(1), 1, 0)
	var restored *RestoredError
	require.ErrorAs(t, err, &restored)
	require.Equal(t, code, restored.Cause.Code)
}

// Changes to a mark's metadata, and other files, mean nothing.
func TestAMarkIsItsNameAndItsFile(t *testing.T) {
	_, path, before := used(t)
	for name, visit := range map[string]func(mark string) error{
		"chmod":   func(mark string) error { return os.Chmod(mark, 0o640) },
		"touch":   func(mark string) error { return os.Chtimes(mark, time.Unix(1, 0), time.Unix(1, 0)) },
		"emptied": func(mark string) error { return os.Truncate(mark, 0) },
		"written": func(mark string) error { return os.WriteFile(mark, []byte("x"), 0o600) },
		"chown": func(mark string) error {
			if os.Getuid() != 0 {
				return nil
			}
			return errors.Join(os.Chown(mark, 65534, 65534), os.Chown(mark, 0, 0))
		},
		"an older one beside it":   func(string) error { return os.WriteFile(path+"-mark.1-0-A-"+before.ID(), nil, 0o600) },
		"something else beside it": func(mark string) error { return os.WriteFile(mark+"~", nil, 0o600) },
	} {
		require.NoError(t, visit(newestMark(t, path)), name)
		s := open(t, path)
		require.Nil(t, s.Retirement(), name)
		reserve(t, s, params(1), 1)
		require.NoError(t, s.Close())
	}
}

// The mark of a version that wrote the state into the file: a valid one is taken over, any
// other counts as replaced.
func TestAnEarlierVersionsMark(t *testing.T) {
	earlier := func(text string) (string, *Store) {
		_, path, before := used(t)
		require.NoError(t, os.Rename(newestMark(t, path), path+"-mark"))
		require.NoError(t, os.WriteFile(path+"-mark", []byte(text), 0o600))
		return path, before
	}
	for _, text := range []string{"", "x", "00000000000000000002 0000000000000000000x\n"} {
		path, before := earlier(text)
		requireRetired(t, path, before, "the mark beside it was replaced or changed")
	}
	path, _ := earlier("00000000000000000002 00000000000000000001\n")
	s := open(t, path)
	require.Nil(t, s.Retirement())
	reserve(t, s, params(1), 1)
	require.NoFileExists(t, path+"-mark")
	require.NoError(t, s.Close())
	path, before := earlier("00000000000000000999 00000000000000000001\n")
	requireRetired(t, path, before, "it was replaced by an older copy")
}

// An older copy beside a mark that was emptied or removed.
func TestAnOlderCopyWithoutItsMark(t *testing.T) {
	for _, spoil := range []func(string) error{func(mark string) error { return os.Truncate(mark, 0) }, os.Remove} {
		dir, path, before := used(t)
		saved := files(t, dir)
		s := open(t, path)
		reserve(t, s, params(1), 1)
		require.NoError(t, s.Close())
		restoreFiles(t, dir, saved, "store.db")
		require.NoError(t, spoil(newestMark(t, path)))
		requireRetired(t, path, before, "")
	}
}

func TestALostStoreIsNoticed(t *testing.T) {
	_, path, before := used(t)
	require.NoError(t, os.Remove(path))
	requireRetired(t, path, before, "the store that was here before is missing")
}

// An older copy written over the file while a process has it open: that process changes nothing
// more, whatever newer state is in its memory or in the log.
func TestAFileThatIsOverwrittenInUse(t *testing.T) {
	for name, checkpoint := range map[string]string{
		"the log is empty":          `PRAGMA wal_checkpoint(TRUNCATE)`,
		"the log is copied":         `PRAGMA wal_checkpoint(PASSIVE)`,
		"and has the newest change": ``,
	} {
		t.Run(name, func(t *testing.T) {
			dir, path, before := used(t)
			saved := files(t, dir)
			s := open(t, path)
			reserve(t, s, params(1), 5)
			if checkpoint == "" {
				_, err := s.db.Pool.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
				require.NoError(t, err)
				reserve(t, s, params(2), 1)
			} else {
				_, err := s.db.Pool.Exec(checkpoint)
				require.NoError(t, err)
				require.NoError(t, s.Chain(testChain).DropParams(t.Context(), common.Address{1}, "https://none"))
			}
			restoreFiles(t, dir, saved, "store.db")
			for range 2 {
				requireRestoredInUse(t, s, CauseOlder)
			}
			require.NoError(t, s.Close(), "which copies the log into the older file")
			requireRetired(t, path, before, "it was replaced by an older copy")
		})
	}
}

// A process that was killed leaves its log, and an older copy replaces the file, also where the file system
// counts whole seconds: both were written in the same one.
func TestAnOlderFileUnderANewerLog(t *testing.T) {
	for name, second := range map[string]bool{"of another time": false, "of the same second": true} {
		t.Run(name, func(t *testing.T) { anOlderFileUnderANewerLog(t, second) })
	}
}

func anOlderFileUnderANewerLog(t *testing.T, second bool) {
	dir, path, before := used(t)
	older := files(t, dir)
	s := open(t, path)
	reserve(t, s, params(1), 5)
	require.NoError(t, s.Close())
	s = open(t, path)
	reserve(t, s, params(2), 1)
	newer := files(t, dir) // as a killed process leaves it
	require.NotEmpty(t, newer["store.db-wal"])
	require.NoError(t, s.Close())
	restoreFiles(t, dir, older, "store.db")
	restoreFiles(t, dir, newer, "store.db-wal")
	if second {
		now := time.Now().Truncate(time.Second)
		require.NoError(t, os.Chtimes(path, time.Time{}, now))
		require.NoError(t, os.Chtimes(newestMark(t, path), time.Time{}, now))
	}
	report, err := Check(t.Context(), path)
	require.NoError(t, err)
	require.Equal(t, Cause{Code: CauseOlder}.String(), report.CopyReason)
	requireRetired(t, path, before, "it was replaced by an older copy")
}

// The mark has the time of the file, which is not read again until it is written. Where the clock is too
// coarse to tell two writes apart, it is read for what the mark does not say.
func TestAMarkHasTheTimeOfTheFile(t *testing.T) {
	_, path, before := used(t)
	written := func(path string) time.Time {
		info, err := os.Stat(path)
		require.NoError(t, err)
		return info.ModTime()
	}
	first := written(path)
	require.Equal(t, first, written(newestMark(t, path)))
	new := filepath.Join(t.TempDir(), "store.db")
	open(t, new)
	open(t, new)
	require.Equal(t, written(new), written(newestMark(t, new)), "all of it is in its log")
	s := open(t, path)
	reserve(t, s, params(1), 1)
	require.NoError(t, s.Close())
	require.NotEqual(t, first, written(path), "the log is copied into the file")
	require.Equal(t, written(path), written(newestMark(t, path)))

	other := open(t, path) // so that the next one leaves its log
	reserve(t, other, params(1), 1)
	s = open(t, path)
	reserve(t, s, params(1), 1)
	require.NoError(t, s.Close())
	_, err := other.db.Pool.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(path, time.Time{}, written(newestMark(t, path))))
	s = open(t, path)
	require.Nil(t, s.Retirement())
	require.Equal(t, before.ID(), s.ID())
}

// Normal use of a store retires nothing.
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

// A link to the file is another name of the store: both use the same mark, log and runs.
func TestALinkToTheFileIsTheStore(t *testing.T) {
	dir, path, before := used(t)
	link := filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, os.Symlink(path, link))
	first := open(t, path)
	next := uint32(6)
	for range 2 {
		for _, name := range []string{link, path} {
			s := open(t, name)
			require.Nil(t, s.Retirement(), name)
			require.Equal(t, before.ID(), s.ID())
			require.Equal(t, path, s.Path())
			require.Equal(t, next, reserve(t, s, params(1), 1).First)
			next++
		}
		require.Equal(t, next, reserve(t, first, params(1), 1).First)
		next++
	}
	beside, err := filepath.Glob(filepath.Join(filepath.Dir(link), "*"))
	require.NoError(t, err)
	require.Equal(t, []string{link}, beside)

	// The disk with the store is not there: no other one is created.
	require.NoError(t, os.Rename(dir, dir+".away"))
	_, err = Open(t.Context(), link)
	require.ErrorIs(t, err, ErrAccess)
	require.ErrorContains(t, err, "the symbolic link "+link+" is broken")
	require.NoError(t, os.Rename(dir+".away", dir))
}

// A store of a version that recorded less about its home counts as unmoved.
func TestAnEarlierVersionsHomeIsFilledIn(t *testing.T) {
	onEach(t, func(t *testing.T, place place) {
		anEarlierVersionsHomeIsFilledIn(t, place(t), func(at *home) { at.Mark, at.Tables = "", "" })
	})
	t.Run("on Windows", func(t *testing.T) {
		anEarlierVersionsHomeIsFilledIn(t, newFile(t), func(at *home) { at.Machine, at.File = "", "" })
	})
}

func anEarlierVersionsHomeIsFilledIn(t *testing.T, location string, forget func(*home)) {
	before := usedDatabase(t, location)
	s := open(t, location)
	require.NoError(t, s.db.Write(t.Context(), func(tx *db.Tx) error {
		text, err := meta(tx, metaHome)
		require.NoError(t, err)
		var at home
		require.NoError(t, json.Unmarshal([]byte(text), &at))
		forget(&at)
		less, err := json.Marshal(at)
		require.NoError(t, err)
		return tx.Exec(updateMeta, string(less), metaHome)
	}))
	require.NoError(t, s.Close())
	s = open(t, location)
	require.Nil(t, s.Retirement())
	require.Equal(t, before.ID(), s.ID())
	require.EqualValues(t, 6, reserve(t, s, params(1), 1).First)
	var text string
	require.NoError(t, s.db.Read(t.Context(), func(tx *db.Tx) (err error) {
		text, err = meta(tx, metaHome)
		return err
	}))
	require.Regexp(t, `"(mark|tables)":"`, text)
	require.NotContains(t, text, `"file":""`)
}
