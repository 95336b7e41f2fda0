package wallet_test

import (
	"encoding/hex"
	"math/big"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote/client"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/signer"
)

// TestAReloadKeepsTheDefaultLimits: limits that a reload leaves out are the default ones, as those that
// a Config leaves out.
func TestAReloadKeepsTheDefaultLimits(t *testing.T) {
	ctx, dear := t.Context(), recipient.DefaultEconomy()
	dear.Tickets.EV = big.NewInt(3_500_000_000_000)
	d, err := devnet.Start(ctx, devnet.Config{Recipients: 1, StartRecipient: devnet.OwnRecipient(devnet.RecipientConfig{Economy: dear})})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	private := hex.EncodeToString(crypto.FromECDSA(d.Accounts()[0].Key))
	key, err := signer.RawKey([]byte(private))
	require.NoError(t, err)
	payer, err := signer.RawKey([]byte(private))
	require.NoError(t, err)
	state := d.State()
	config := wallet.Config{
		Network: state.Network(), Nodes: []string{d.RPCURL()}, Store: filepath.Join(t.TempDir(), "pay.db"),
		Account: signer.Opened(payer, ""),
	}
	require.NoError(t, fund(ctx, config, "first"))
	config.Account = signer.Opened(key, "")
	w, err := wallet.Open(ctx, config)
	require.NoError(t, err)
	defer w.Close()
	options := wallet.RemoteSignerOptions{Identify: identity.None{}}
	service, err := wallet.NewRemoteSigner(ctx, w, options)
	require.NoError(t, err)
	defer service.Close()
	server := httptest.NewServer(service.Handler())
	defer server.Close()
	asked, err := client.New(server.URL, "")
	require.NoError(t, err)

	u, err := pay.ParseURL(d.Recipients()[0].State().URL)
	require.NoError(t, err)
	request, err := wire.NewOrchestratorRequest(signer.ForPM(ctx, key))
	require.NoError(t, err)
	offer, err := new(pay.Client).Fetch(ctx, u, request)
	require.NoError(t, err)
	encoded, err := proto.Marshal(offer.Info)
	require.NoError(t, err)
	refused := func() {
		_, err := asked.Pay(ctx, client.Request{Orchestrator: encoded, App: "app", Type: live.Fixed})
		require.ErrorContains(t, err, "3500 gwei")
	}
	refused()
	require.NoError(t, service.Reload(ctx, options, policy.Limits{}))
	refused()
}
