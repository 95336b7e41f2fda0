package cache

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "file.json")
	for _, text := range []string{"first", "second"} {
		require.NoError(t, Replace(path, []byte(text)))
		found, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(found))
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	require.NoError(t, Swap(path, []byte("for all"), 0o644))
	info, err = os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode().Perm(), "whatever the process's umask is")

	require.Error(t, Replace(filepath.Dir(path), nil), "a folder is no file")
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing else is left")
	require.Error(t, Replace(filepath.Join(path, "file"), nil))
}
