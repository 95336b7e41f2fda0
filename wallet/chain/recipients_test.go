package chain_test

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
)

func TestRecipients(t *testing.T) {
	d, client := start(t, devnet.Config{Recipients: 3})
	var want []chain.Recipient
	for _, recipient := range d.Recipients() {
		state := recipient.State()
		want = append(want, chain.Recipient{Address: state.Address, Active: true, ServiceURI: state.URL})
	}
	pool, err := client.Recipients(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, pool)

	// A recipient outside of the pool still has its data; an unknown address has none.
	require.NoError(t, d.DeactivateTranscoder(t.Context(), want[1].Address))
	pool, err = client.Recipients(t.Context())
	require.NoError(t, err)
	require.Equal(t, []chain.Recipient{want[0], want[2]}, pool)
	want[1].Active = false
	for _, w := range append(want, chain.Recipient{Address: common.Address{1}}) {
		found, err := client.Recipient(t.Context(), w.Address)
		require.NoError(t, err)
		require.Equal(t, w, found)
	}

	_, empty := start(t, devnet.Config{})
	pool, err = empty.Recipients(t.Context())
	require.NoError(t, err)
	require.Empty(t, pool)
}
