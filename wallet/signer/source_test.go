package signer_test

import (
	"context"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/signer"
)

// TestAKeyHereSignsOnAllCores: package pm gets a key of this process as it is, with nothing in
// between that a ticket would pay for.
func TestAKeyHereSignsOnAllCores(t *testing.T) {
	key, err := signer.RawKey([]byte(strings.Repeat("01", 32)))
	require.NoError(t, err)
	defer key.Close()
	direct, ok := signer.ForPM(t.Context(), key).(pm.DigestSigner)
	require.True(t, ok)
	require.Same(t, key.Signer, direct)
	message := []byte("message")
	here, err := key.Sign(t.Context(), message)
	require.NoError(t, err)
	there, err := direct.Sign(message)
	require.NoError(t, err)
	require.Equal(t, here, there)
}

// TestWhatReopens: a key that is open already, in this process, can be used until it is closed.
func TestWhatReopens(t *testing.T) {
	key, err := signer.RawKey([]byte(strings.Repeat("01", 32)))
	require.NoError(t, err)
	account := signer.Opened(key, "")
	require.False(t, account.Reopens())
	require.False(t, signer.AddressOnly(key.Address()).Reopens())
	later := signer.Later(key.Address(), func(context.Context) (*signer.Account, error) { return account, nil })
	require.True(t, later.Reopens())
	_, err = later.Unlock(t.Context())
	require.NoError(t, err)
	later.Close()
	require.True(t, later.Reopens())

	account.Close()
	_, err = account.Unlock(t.Context())
	require.ErrorIs(t, err, signer.ErrCleared)
	require.Nil(t, account.Source())
	require.False(t, account.Reopens())
}

// TestAnotherAccountsKey: a key file that was replaced since its address was read signs nothing, and
// asks no recipient for params in another account's name.
func TestAnotherAccountsKey(t *testing.T) {
	key, err := signer.RawKey([]byte(strings.Repeat("01", 32)))
	require.NoError(t, err)
	found := signer.Opened(key, "")
	account := signer.Later(common.Address{1}, func(context.Context) (*signer.Account, error) { return found, nil })
	_, err = account.Unlock(t.Context())
	require.ErrorIs(t, err, keystore.ErrAddressMismatch)
	require.ErrorContains(t, err, key.Address().Hex())
	require.Nil(t, account.Source())
	require.Nil(t, found.Source(), "the key is cleared")
}
