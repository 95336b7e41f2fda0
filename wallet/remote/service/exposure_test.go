package service

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExposedListeners: what others can reach is authenticated and encrypted.
func TestExposedListeners(t *testing.T) {
	for _, local := range []string{"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "unix:/run/signer.sock"} {
		require.NoError(t, CheckExposure(local, false, false), local)
	}
	for _, open := range []string{"0.0.0.0:1", ":1", "[::]:1", "192.168.0.1:1", "localhost.example:1", "127.0.0.1", ""} {
		require.ErrorIs(t, CheckExposure(open, false, true), ErrNoAuthentication, open)
		require.ErrorIs(t, CheckExposure(open, true, false), ErrNoTLS, open)
		require.NoError(t, CheckExposure(open, true, true), open)
	}
}
