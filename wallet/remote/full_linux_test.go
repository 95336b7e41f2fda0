package remote_test

import (
	"path/filepath"
	"testing"

	"github.com/pmctl/pmctl/internal/fulldisk"
	"github.com/pmctl/pmctl/wallet/remote/identity"
)

// TestTheDiskIsFull: what cannot be recorded is not signed.
func TestTheDiskIsFull(t *testing.T) {
	dir := fulldisk.Mount(t, "4m")
	_, key := captured(t, "signer_errors_and_payments")
	a := newAsker(t, newWorldAt(t, filepath.Join(dir, "store.db"), key, 100, identity.None{}, nil, nil))
	free := fulldisk.Fill(t, dir)
	a.unavailable(t)
	free()
	a.paid(t)
}
