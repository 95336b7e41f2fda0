package cmd

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/fulldisk"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestASignerWhoseDiskIsFull is not ready from the first payment on that it cannot record, though it could still
// record a moment before that it runs; and is ready again as soon as there is room.
func TestASignerWhoseDiskIsFull(t *testing.T) {
	s := newShell(t, devnet.Config{Recipients: 1})
	dir := fulldisk.Mount(t, "4m")
	s.env["PMCTL_STORE"] = filepath.Join(dir, "store.db")
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio")["token"].(string)
	r := s.serveSigner("--admin-listen 127.0.0.1:0")
	code, answer := r.payOnce(token, s)
	require.Equal(t, http.StatusOK, code, string(answer))
	free := fulldisk.Fill(t, dir)
	code, _ = r.payOnce(token, s)
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, r.checks(http.StatusServiceUnavailable)["store"], "disk is full")
	free()
	r.checks(http.StatusOK)
	code, _ = r.payOnce(token, s)
	require.Equal(t, http.StatusOK, code)
}
