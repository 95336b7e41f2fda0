//go:build unix

package store

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A store that the user may not write.
func TestUnwritable(t *testing.T) {
	if os.Getuid() != 0 {
		unwritable(t, func(*exec.Cmd) {})
		return
	}
	// The test binary's own folder is closed to others.
	dir, err := os.MkdirTemp("", "pmctl-store-bin-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	program, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	open := filepath.Join(dir, "store.test")
	require.NoError(t, os.WriteFile(open, program, 0o755))
	unwritable(t, func(cmd *exec.Cmd) {
		unprivileged(cmd)
		cmd.Path, cmd.Dir = open, dir
	})
}

func unwritable(t *testing.T, drop func(*exec.Cmd)) {
	dir, err := os.MkdirTemp("", "pmctl-store-")
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = os.Chmod(dir, 0o700)
		os.RemoveAll(dir)
	})
	path := filepath.Join(dir, "store.db")
	s := open(t, path)
	reserve(t, s, params(1), 1)
	require.NoError(t, s.Close())

	say := func() string {
		cmd := child("open", path)
		drop(cmd)
		out, err := cmd.Output()
		require.NoError(t, err)
		return string(out)
	}
	for _, mode := range []struct {
		what      string
		dir, file os.FileMode
	}{
		{"unreadable file", 0o755, 0o000},
		{"read-only file", 0o755, 0o444},
		{"read-only folder", 0o555, 0o666},
		{"closed folder", 0o000, 0o666},
	} {
		require.NoError(t, os.Chmod(dir, 0o700))
		require.NoError(t, os.Chmod(path, mode.file))
		require.NoError(t, os.Chmod(dir, mode.dir))
		out := say()
		require.True(t, strings.HasPrefix(out, "true "), "%s: %s", mode.what, out)
		require.Contains(t, out, dir, mode.what)
	}
	require.NoError(t, os.Chmod(dir, 0o700))
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Chmod(dir, 0o555))
	require.Contains(t, say(), "permission denied", "a new store in a read-only folder")
}

// unprivileged runs cmd without the superuser's privileges.
func unprivileged(cmd *exec.Cmd) {
	const other = 65534
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
}
