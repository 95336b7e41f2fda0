package chain_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/store"
)

// elsewhere is a lying node's address of a contract.
var elsewhere = common.HexToAddress("0x000000000000000000000000000000000000bAD1")

// lying serves a network through a node that reports another address for a contract.
func lying(t *testing.T, d *devnet.Devnet, name string) string {
	asked := contract.NewController().PackGetContract(crypto.Keccak256Hash([]byte(name)))
	return proxy(t, d, func(r request) (*answer, error) {
		if r.Method == "eth_call" && strings.Contains(string(r.Params[0]), hexutil.Encode(asked)) {
			return &answer{Result: common.BytesToHash(elsewhere.Bytes())}, nil
		}
		return nil, nil
	})
}

// pinning is a client that pins in the store at a path.
func pinning(t *testing.T, path, url string, network chain.Network, accept bool) *chain.Client {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	client := dial(t, url, network)
	require.NoError(t, client.Pin(t.Context(), s.Chain(network.ChainID), accept))
	return client
}

// TestWhatWasFirstSeenIsPinned: each run has a client of its own and shares the store. Status
// and Facts read in the same request as the registry.
func TestWhatWasFirstSeenIsPinned(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	path := filepath.Join(t.TempDir(), "store.db")
	honest, err := pinning(t, path, d.RPCURL(), network(d), false).Contracts(t.Context())
	require.NoError(t, err)

	for _, name := range []string{"TicketBroker", "RoundsManager", "BondingManager", "ServiceRegistry"} {
		t.Run(name, func(t *testing.T) {
			url := lying(t, d, name)
			var changed *chain.ContractsError
			_, err := pinning(t, path, url+"/v2/secretkey", network(d), false).Status(t.Context(), common.Address{})
			require.ErrorAs(t, err, &changed)
			known := map[string]common.Address{
				"TicketBroker": honest.TicketBroker, "RoundsManager": honest.RoundsManager,
				"BondingManager": honest.BondingManager, "ServiceRegistry": honest.ServiceRegistry,
			}[name]
			require.Equal(t, chain.ContractsError{
				Network: chain.Devnet, URL: url + "/…", Changes: []chain.ContractChange{{Name: name, Known: known, Found: elsewhere}},
			}, *changed)
			require.Contains(t, changed.Error(), name+" "+elsewhere.Hex()+" instead of "+known.Hex())
			require.Contains(t, changed.Hint(), "--accept-contracts")
			_, err = pinning(t, path, url, network(d), false).Facts(t.Context(), common.Address{})
			require.ErrorAs(t, err, &changed)
			_, err = pinning(t, path, url, network(d), false).Contracts(t.Context())
			require.ErrorAs(t, err, &changed)
		})
	}

	// The user accepts the change, once: from then on the honest node differs.
	url := lying(t, d, "ServiceRegistry")
	found, err := pinning(t, path, url, network(d), true).Contracts(t.Context())
	require.NoError(t, err)
	require.Equal(t, elsewhere, found.ServiceRegistry)
	_, err = pinning(t, path, url, network(d), false).Contracts(t.Context())
	require.NoError(t, err)
	_, err = pinning(t, path, d.RPCURL(), network(d), false).Contracts(t.Context())
	require.ErrorAs(t, err, new(*chain.ContractsError))
}

// TestALongLivedClientKeepsItsPin, whatever other processes pin later.
func TestALongLivedClientKeepsItsPin(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	path := filepath.Join(t.TempDir(), "store.db")
	honest, err := pinning(t, path, d.RPCURL(), network(d), false).Contracts(t.Context())
	require.NoError(t, err)
	before := pinning(t, path, lying(t, d, "TicketBroker"), network(d), false)
	other := honest
	other.TicketBroker = elsewhere
	s, err := store.Open(t.Context(), path)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Chain(network(d).ChainID).ReplaceContracts(t.Context(), other))
	_, err = before.Contracts(t.Context())
	require.ErrorAs(t, err, new(*chain.ContractsError))
}

// TestTwoRunsSeeANetworkFirst: both begin before anything is pinned, with two nodes.
func TestTwoRunsSeeANetworkFirst(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	path := filepath.Join(t.TempDir(), "store.db")
	second := pinning(t, path, lying(t, d, "TicketBroker"), network(d), false)
	_, err := pinning(t, path, d.RPCURL(), network(d), false).Contracts(t.Context())
	require.NoError(t, err)
	_, err = second.Contracts(t.Context())
	require.ErrorAs(t, err, new(*chain.ContractsError))
}

// TestTheStateFileNamesTheContracts: no pin is needed if the local network's own process states
// where its contracts are.
func TestTheStateFileNamesTheContracts(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	state := d.State()
	_, err := dial(t, d.RPCURL(), state.Network()).Contracts(t.Context())
	require.NoError(t, err)
	_, err = dial(t, lying(t, d, "TicketBroker"), state.Network()).Contracts(t.Context())
	require.ErrorAs(t, err, new(*chain.ContractsError))

	state.Contracts = map[string]common.Address{"TicketBroker": state.Contracts["TicketBroker"]}
	require.Zero(t, state.Network().Contracts, "some of the addresses are not enough")
}

// TestBuiltInContracts: no node, store or flag changes the addresses of the deployed network,
// however it is specified.
func TestBuiltInContracts(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	named, err := chain.NamedNetwork(chain.ArbitrumOne)
	require.NoError(t, err)
	require.Equal(t, named, chain.NetworkAt(named.ChainID, named.Controller))
	require.False(t, chain.NetworkAt(1, named.Controller).BuiltIn())
	require.False(t, chain.NetworkAt(named.ChainID, common.Address{1}).BuiltIn())

	controller := contract.NewController()
	serve := func(contracts chain.Contracts) string {
		addresses := map[string]common.Address{
			"TicketBroker": contracts.TicketBroker, "RoundsManager": contracts.RoundsManager,
			"BondingManager": contracts.BondingManager, "ServiceRegistry": contracts.ServiceRegistry,
		}
		return proxy(t, d, func(r request) (*answer, error) {
			switch r.Method {
			case "eth_chainId":
				return &answer{Result: hexutil.Uint64(named.ChainID)}, nil
			case "eth_getCode":
				return &answer{Result: "0x00"}, nil
			}
			for name, address := range addresses {
				if strings.Contains(string(r.Params[0]), hexutil.Encode(controller.PackGetContract(crypto.Keccak256Hash([]byte(name))))) {
					return &answer{Result: common.BytesToHash(address.Bytes())}, nil
				}
			}
			return nil, nil
		})
	}
	found, err := dial(t, serve(named.Contracts), named).Contracts(t.Context())
	require.NoError(t, err)
	require.Equal(t, named.Contracts, found)

	moved := named.Contracts
	moved.TicketBroker = elsewhere
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := store.Open(t.Context(), path)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Chain(named.ChainID).ReplaceContracts(t.Context(), moved))
	bare := chain.Network{Name: "by hand", ChainID: named.ChainID, Controller: named.Controller}
	for name, client := range map[string]*chain.Client{
		"no store":            dial(t, serve(moved), named),
		"pinned and accepted": pinning(t, path, serve(moved), named, true),
		"by controller":       pinning(t, path, serve(moved), bare, true),
	} {
		_, err := client.Contracts(t.Context())
		var changed *chain.ContractsError
		require.ErrorAs(t, err, &changed, name)
		require.True(t, changed.BuiltIn)
		require.Contains(t, changed.Error(), "TicketBroker "+elsewhere.Hex()+" instead of "+named.Contracts.TicketBroker.Hex())
		require.NotContains(t, changed.Hint(), "--accept-contracts")
	}
}

// TestMemoryIsNoPin: the file that saves a request is in a cache folder, and is not trusted.
func TestMemoryIsNoPin(t *testing.T) {
	d, client := start(t, devnet.Config{})
	folder := t.TempDir()
	client.RememberIn(folder)
	honest, err := client.Contracts(t.Context())
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(folder, "network-*.json"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	moved := honest
	moved.TicketBroker = elsewhere
	text, err := json.Marshal(map[string]any{"contracts": moved})
	require.NoError(t, err)

	path := filepath.Join(t.TempDir(), "store.db")
	_, err = pinning(t, path, d.RPCURL(), network(d), false).Contracts(t.Context())
	require.NoError(t, err)
	for name, url := range map[string]string{"honest": d.RPCURL(), "lying": lying(t, d, "TicketBroker")} {
		require.NoError(t, os.WriteFile(files[0], text, 0o600))
		client := pinning(t, path, url, network(d), false)
		client.RememberIn(folder)
		status, err := client.Status(t.Context(), common.Address{})
		if name == "lying" {
			require.ErrorAs(t, err, new(*chain.ContractsError))
			continue
		}
		require.NoError(t, err)
		require.Equal(t, honest, status.Contracts)
	}
}
