package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file system without links, as on memory cards, has files that appear whole and in
// place of no other all the same.
func TestPlaceWithoutLinks(t *testing.T) {
	noLinks := func(from, to string) error { return &os.LinkError{Op: "link", Old: from, New: to, Err: syscall.EPERM} }
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	write := func(path, text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	read := func(path string) string {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(text)
	}
	write(from, "first")
	require.NoError(t, place(noLinks, from, to))
	require.Equal(t, "first", read(to))

	write(from, "second")
	require.ErrorIs(t, place(noLinks, from, to), fs.ErrExist)
	require.ErrorIs(t, place(os.Link, from, to), fs.ErrExist)
	require.Equal(t, "first", read(to))

	require.Error(t, place(noLinks, filepath.Join(dir, "none"), filepath.Join(dir, "new")))
	require.NoFileExists(t, filepath.Join(dir, "new"))
}

// A file whose name might not last is there: nobody may take it for a failure and make
// it again.
func TestAnUnsyncedFileIsThere(t *testing.T) {
	require.NoError(t, sure("tickets.json", nil))
	err := sure("tickets.json", errors.New("input/output error"))
	out := classify(err)
	require.Equal(t, exitNotMined, out.exit)
	require.Contains(t, out.hint, "do not make it again")
	require.EqualError(t, err, "tickets.json is written, but might not survive a power failure: input/output error")
}
