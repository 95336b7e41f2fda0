package cmd

import (
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestASignerWhoseDiskIsFull is not ready from the first payment on that it cannot record, though it could still
// record a moment before that it runs; and is ready again as soon as there is room.
func TestASignerWhoseDiskIsFull(t *testing.T) {
	s := newShell(t, devnet.Config{Recipients: 1})
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("skipped: this user may not mount a file system: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	s.env["PMCTL_STORE"] = filepath.Join(dir, "store.db")
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio")["token"].(string)
	r := s.serveSigner("--admin-listen 127.0.0.1:0")
	code, answer := r.payOnce(token, s)
	require.Equal(t, http.StatusOK, code, string(answer))
	filler, err := os.Create(filepath.Join(dir, "filler"))
	require.NoError(t, err)
	for block := make([]byte, 4096); err == nil; {
		_, err = filler.Write(block)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, filler.Close())
	code, _ = r.payOnce(token, s)
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, r.checks(http.StatusServiceUnavailable)["store"], "disk is full")
	require.NoError(t, os.Remove(filler.Name()))
	r.checks(http.StatusOK)
	code, _ = r.payOnce(token, s)
	require.Equal(t, http.StatusOK, code)
}
