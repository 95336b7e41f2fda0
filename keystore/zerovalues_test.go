package keystore

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestZeroValues: what a program leaves out is an error.
func TestZeroValues(t *testing.T) {
	signer, err := NewRawSigner([]byte(rawKey))
	require.NoError(t, err)
	_, err = signer.SignTx(nil, big.NewInt(1))
	require.Error(t, err)

	store := Open(t.TempDir())
	_, err = store.New(t.Context(), nil, Light)
	require.ErrorIs(t, err, errNoSource)
	_, err = store.Import(t.Context(), signer, nil, Light)
	require.ErrorIs(t, err, errNoSource)
	listing, err := store.List()
	require.NoError(t, err)
	require.Empty(t, listing.Accounts)
}
