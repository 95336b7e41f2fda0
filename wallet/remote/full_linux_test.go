package remote_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote/identity"
)

// TestTheDiskIsFull: what cannot be recorded is not signed.
func TestTheDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("skipped: this user may not mount a file system: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) }) // after the store is closed
	_, key := captured(t, "signer_errors_and_payments")
	a := newAsker(t, newWorldAt(t, filepath.Join(dir, "store.db"), key, 100, identity.None{}, nil, nil))
	filler, err := os.Create(filepath.Join(dir, "filler"))
	require.NoError(t, err)
	for block := make([]byte, 4096); err == nil; {
		_, err = filler.Write(block)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, filler.Close())
	a.unavailable(t)
	require.NoError(t, os.Remove(filler.Name()))
	a.paid(t)
}
