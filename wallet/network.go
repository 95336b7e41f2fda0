package wallet

import (
	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/internal/nodes"
)

// The names of networks.
const (
	ArbitrumOne = chain.ArbitrumOne
	Devnet      = chain.Devnet
)

// ErrNoDevnet is wrapped by the error about a local network that does not run.
var ErrNoDevnet = chain.ErrNoDevnet

// NamedNetwork returns a network by its name, but for the local one. It fails with
// chain.UnknownNetworkError.
func NamedNetwork(name string) (Network, error) { return chain.NamedNetwork(name) }

// NetworkAt returns the network of a chain whose contracts a controller names.
func NetworkAt(chainID uint64, controller common.Address) Network {
	return chain.NetworkAt(chainID, controller)
}

// DevnetAt returns the local network that a state file tells of. It fails with ErrNoDevnet.
func DevnetAt(path string) (Network, error) {
	state, err := chain.ReadDevnetState(path)
	if err != nil {
		return Network{}, err
	}
	return state.Network(), nil
}

// DisplayURL is a node's URL as it may be shown to anybody.
func DisplayURL(url string) string { return nodes.DisplayURL(url) }
