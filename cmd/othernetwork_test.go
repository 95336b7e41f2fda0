package cmd

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestNetworksOfOneChainAreApart: two networks with the same chain ID, one store and one
// account. What was begun on one is not continued on the other, and neither's contracts
// are the other's.
func TestNetworksOfOneChainAreApart(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	other, err := devnet.Start(t.Context(), devnet.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, other.Close()) })
	me := crypto.PubkeyToAddress(s.net.Accounts()[0].Key.PublicKey)
	give(t, other, me)
	s.env["PMCTL_NETWORK"], s.env["PMCTL_STORE"] = "", filepath.Join(t.TempDir(), "store.db")

	for _, step := range []struct {
		net                   *devnet.Devnet
		deposit, transactions int64
	}{{s.net, 8, 2}, {other, 8, 2}, {s.net, 11, 3}} { // the request is known there, the other funding is a new one
		network := fmt.Sprintf(" --controller %s --chain-id %d", step.net.Controller(), step.net.ChainID())
		node := network + " --rpc-url " + step.net.RPCURL()
		s.run(exitDone, "fund --deposit 5wei --yes --request-id once"+node)
		s.run(exitDone, "fund --deposit 3wei --yes"+node)
		require.Equal(t, big.NewInt(step.deposit), s.number(s.run(exitDone, "status"+node), "deposit"))
		list, ok := s.run(exitDone, "tx list --all"+network)["transactions"].([]any)
		require.True(t, ok)
		require.Len(t, list, int(step.transactions))
	}
}

// give sends an account ether on a network that did not fund it.
func give(t *testing.T, d *devnet.Devnet, to common.Address) {
	t.Helper()
	state := d.State()
	client, err := chain.Dial(t.Context(), d.RPCURL(), state.Network())
	require.NoError(t, err)
	defer client.Close()
	key, err := signer.RawKey([]byte(hex.EncodeToString(crypto.FromECDSA(d.Accounts()[0].Key))))
	require.NoError(t, err)
	defer key.Close()
	amount, err := wei.Parse("1eth")
	require.NoError(t, err)
	account := devnet.NewSender(client, key)
	sent, err := account.Send(t.Context(), to, amount, nil)
	require.NoError(t, err)
	_, err = account.Wait(t.Context(), sent.Hash())
	require.NoError(t, err)
}
