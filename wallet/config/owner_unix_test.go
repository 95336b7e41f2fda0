//go:build unix

package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFileThatOthersCanChange(t *testing.T) {
	for _, mode := range []os.FileMode{0o620, 0o602, 0o666} {
		path := write(t, "network = \"devnet\"\n")
		require.NoError(t, os.Chmod(path, mode))
		_, err := Read(path)
		require.ErrorIs(t, err, ErrUnsafe)
		require.ErrorContains(t, err, "chmod go-w")
	}
	path := write(t, "network = \"devnet\"\n")
	require.NoError(t, os.Chmod(path, 0o444))
	_, err := Read(path)
	require.NoError(t, err, "one that no user can change is fine")
}

func TestAFileWithAPasswordIsPrivate(t *testing.T) {
	path := write(t, "store = \"postgres://me:secret@host/db\"\n")
	f, err := Read(path)
	require.NoError(t, err)
	require.Equal(t, "postgres://me:secret@host/db", f.Store)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o444} {
		require.NoError(t, os.Chmod(path, mode))
		_, err := Read(path)
		require.ErrorIs(t, err, ErrPublic)
		require.ErrorContains(t, err, "chmod 600")
		require.NotContains(t, err.Error(), "secret")
	}
	path = write(t, "store = \"postgres://me@host/db\"\n")
	require.NoError(t, os.Chmod(path, 0o444))
	_, err = Read(path)
	require.NoError(t, err, "it has no password")
}

func TestAProfileWithAPasswordIsPrivate(t *testing.T) {
	path := write(t, "[profile.fleet]\nstore = \"postgres://me:secret@host/db\"\n")
	_, err := Read(path)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(path, 0o644))
	_, err = Read(path)
	require.ErrorIs(t, err, ErrPublic)
}

// TestABrokenLink is no missing file: the limits that it sets are somewhere.
func TestABrokenLink(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pmctl", "config.toml")
	require.NoError(t, os.Symlink(filepath.Join(dir, "dotfiles"), filepath.Dir(path)))
	_, err := Read(path)
	require.ErrorIs(t, err, ErrInvalid)
	require.ErrorContains(t, err, "the symbolic link "+filepath.Dir(path)+" is broken")

	require.NoError(t, os.Mkdir(filepath.Join(dir, "dotfiles"), 0o700))
	_, err = Read(path)
	require.NoError(t, err, "there is no file in the folder")

	require.NoError(t, os.Symlink("nowhere", path))
	_, err = Read(path)
	require.ErrorIs(t, err, ErrInvalid)
	require.ErrorContains(t, err, "the symbolic link "+path+" is broken")
}
