package devnet_test

import (
	"context"
	"testing"

	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// start brings up a network that ends with the test.
func start(t *testing.T, cfg devnet.Config) *devnet.Devnet {
	t.Helper()
	d, err := devnet.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func TestStart(t *testing.T) {
	d := start(t, devnet.Config{Accounts: 2})
	client, err := ethclient.DialContext(t.Context(), d.RPCURL())
	require.NoError(t, err)
	defer client.Close()
	id, err := client.ChainID(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, devnet.ChainID, id.Uint64())
	status, err := d.Status(context.Background())
	require.NoError(t, err)
	t.Logf("%+v", status)
	require.NoError(t, d.NextRound(t.Context(), 3))
	require.NoError(t, d.Mine(t.Context(), 1000))
	status, err = d.Status(context.Background())
	require.NoError(t, err)
	t.Logf("%+v", status)
}
