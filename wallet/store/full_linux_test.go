package store_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/store"
)

// TestOpeningOnAFullDisk names the disk, where SQLite speaks of an error of input and output.
func TestOpeningOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("skipped: this user may not mount a file system: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	location := filepath.Join(dir, "store.db")
	s, err := store.Open(t.Context(), location)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	filler, err := os.Create(filepath.Join(dir, "filler"))
	require.NoError(t, err)
	for block := make([]byte, 4096); err == nil; {
		_, err = filler.Write(block)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, filler.Close())
	_, err = store.Open(t.Context(), location)
	require.ErrorIs(t, err, store.ErrAccess)
	require.ErrorContains(t, err, "disk is full")
}
