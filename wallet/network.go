package wallet

import (
	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/internal/nodes"
)

// Names of networks.
const (
	ArbitrumOne = chain.ArbitrumOne
	Devnet      = chain.Devnet
)

// ErrNoDevnet is returned if the local network is not running.
var ErrNoDevnet = chain.ErrNoDevnet

// NamedNetwork returns a built-in network by name. It fails for any other name.
func NamedNetwork(name string) (Network, error) { return chain.NamedNetwork(name) }

// NetworkAt returns the network of a chain ID and its controller contract.
func NetworkAt(chainID uint64, controller common.Address) Network {
	return chain.NetworkAt(chainID, controller)
}

// DevnetAt returns the local network described by a state file. It returns ErrNoDevnet.
func DevnetAt(path string) (Network, error) {
	state, err := chain.ReadDevnetState(path)
	if err != nil {
		return Network{}, err
	}
	return state.Network(), nil
}

// DisplayURL returns a node's URL without its secrets.
func DisplayURL(url string) string { return nodes.DisplayURL(url) }
