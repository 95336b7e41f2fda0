package chain

import (
	"fmt"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// Network is where a deployment of the contracts lives.
type Network struct {
	// Name is what users call it.
	Name string

	// ChainID is the chain's id (EIP-155).
	ChainID uint64

	// Controller is the registry contract, from which all others are found.
	Controller common.Address

	// Contracts are the addresses that are known without asking a node: built in, named
	// by the local network's state file, or pinned; zero where none are. A node that
	// names others is refused.
	Contracts Contracts

	// AIServiceRegistry is a second registry, in which recipients enter where they are
	// reached for AI work; zero where there is none. The controller does not know it.
	AIServiceRegistry common.Address

	// RPCURL is the node that comes with the network; "" when users bring their own.
	RPCURL string

	// MaxHeadAge is how old the newest block may be for a node to count as up to date; 0
	// is any age, for chains that make blocks only when there is something in them.
	MaxHeadAge time.Duration

	// OwnClock is set for a chain whose time may be ahead of every other clock: blocks
	// that are mined on demand are at least a second apart, however fast they follow.
	OwnClock bool
}

// Names of the networks that pmctl knows.
const (
	ArbitrumOne      = "arbitrum-one-mainnet"
	arbitrumOneAlias = "mainnet"
	Devnet           = "devnet"
)

// AIServiceRegistry is what the local network's state file calls that contract.
const AIServiceRegistry = "AIServiceRegistry"

// UnknownNetworkError is returned for a network's name that is not known.
type UnknownNetworkError struct{ Name string }

func (e *UnknownNetworkError) Error() string {
	return fmt.Sprintf("%q is not a network; known are %s and %s, any other is named by its controller and chain id", e.Name, ArbitrumOne, Devnet)
}

// NamedNetwork returns a deployed network by its name. The local network is not
// among them: its state file tells where it is, see ReadDevnetState.
func NamedNetwork(name string) (Network, error) {
	switch strings.ToLower(name) {
	case ArbitrumOne, arbitrumOneAlias:
		return arbitrumOne(), nil
	default:
		return Network{}, &UnknownNetworkError{name}
	}
}

// arbitrumOne is the deployed network. Its contracts are proxies: an upgrade changes the
// code behind them, and no address.
func arbitrumOne() Network {
	controller := common.HexToAddress("0xD8E8328501E9645d16Cf49539efC04f734606ee4")
	return Network{
		Name:       ArbitrumOne,
		ChainID:    42161,
		Controller: controller,
		Contracts: Contracts{
			Controller:      controller,
			TicketBroker:    common.HexToAddress("0xa8bB618B1520E284046F3dFc448851A1Ff26e41B"),
			RoundsManager:   common.HexToAddress("0xdd6f56DcC28D3F5f27084381fE8Df634985cc39f"),
			BondingManager:  common.HexToAddress("0x35Bcf3c30594191d53231E4FF333E8A770453e40"),
			ServiceRegistry: common.HexToAddress("0xC92d3A360b8f9e083bA64DE15d95Cf8180897431"),
		},
		AIServiceRegistry: common.HexToAddress("0x04C0b249740175999E5BF5c9ac1dA92431EF34C5"),
		MaxHeadAge:        3 * time.Minute,
	}
}

// NetworkAt returns the network with a controller on a chain. What is known of a deployed
// network holds for it however it is named.
func NetworkAt(chainID uint64, controller common.Address) Network {
	if known := arbitrumOne(); known.ChainID == chainID && known.Controller == controller {
		return known
	}
	return Network{Name: "the chosen network", ChainID: chainID, Controller: controller}
}

// BuiltIn tells whether the addresses of the network's contracts are part of the program.
func (n Network) BuiltIn() bool {
	known := arbitrumOne()
	return n.ChainID == known.ChainID && n.Controller == known.Controller
}

// ID names the network among all others, in the journal for one. Local networks share their
// chain id; each has a controller of its own.
func (n Network) ID() string { return fmt.Sprintf("%d/%s", n.ChainID, n.Controller) }

// Network returns where the local network is. Its state file, which the user's own
// process writes, names its contracts as well as its controller.
func (s *DevnetState) Network() Network {
	contracts := Contracts{Controller: s.Controller}
	for _, n := range contracts.named() {
		if *n.address = s.Contracts[n.name]; *n.address == (common.Address{}) {
			contracts = Contracts{} // an older one's, which names none
			break
		}
	}
	return Network{
		Name:              Devnet,
		ChainID:           s.ChainID,
		Controller:        s.Controller,
		Contracts:         contracts,
		AIServiceRegistry: s.Contracts[AIServiceRegistry],
		RPCURL:            s.RPCURL,
		OwnClock:          true,
	}
}
