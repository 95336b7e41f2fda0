package chain

import (
	"fmt"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// Network is a deployment of the contracts.
type Network struct {
	// Name is the network's name for users.
	Name string

	// ChainID is the chain's ID (EIP-155).
	ChainID uint64

	// Controller is the registry contract, from which all others are found.
	Controller common.Address

	// Contracts are the addresses known in advance: built in, from the local network's state
	// file, or pinned; zero if none are. A node that reports others is refused.
	Contracts Contracts

	// AIServiceRegistry is a second registry, with the recipients' URLs for AI work; zero if
	// there is none. The controller does not have it.
	AIServiceRegistry common.Address

	// RPCURL is the network's own node; "" if users bring their own.
	RPCURL string

	// MaxHeadAge is how old the newest block of an up-to-date node may be; 0 is any age, for
	// chains that make blocks only on demand.
	MaxHeadAge time.Duration

	// OwnClock is set for a chain whose time may be ahead of the clock: blocks that are mined
	// on demand are at least a second apart, however quickly they follow.
	OwnClock bool
}

// Names of networks.
const (
	ArbitrumOne      = "arbitrum-one-mainnet"
	arbitrumOneAlias = "mainnet"
	Devnet           = "devnet"
)

// AIServiceRegistry is that contract's name in the local network's state file.
const AIServiceRegistry = "AIServiceRegistry"

// NamedNetwork returns a deployed network by its name. For the local network see ReadDevnetState.
func NamedNetwork(name string) (Network, error) {
	switch strings.ToLower(name) {
	case ArbitrumOne, arbitrumOneAlias:
		return arbitrumOne(), nil
	}
	return Network{}, fmt.Errorf("unknown network %q: use %s or %s, or pass --controller and --chain-id for any other", name, ArbitrumOne, Devnet)
}

// arbitrumOne is the deployed network. Its contracts are proxies: an upgrade changes the code
// behind them, not their addresses.
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

// NetworkAt returns the network with a controller on a chain. A deployed network's built-in
// addresses apply however it is specified.
func NetworkAt(chainID uint64, controller common.Address) Network {
	if known := arbitrumOne(); known.ChainID == chainID && known.Controller == controller {
		return known
	}
	return Network{Name: "the chosen network", ChainID: chainID, Controller: controller}
}

// BuiltIn reports whether the addresses of the network's contracts are built into pmctl.
func (n Network) BuiltIn() bool {
	known := arbitrumOne()
	return n.ChainID == known.ChainID && n.Controller == known.Controller
}

// ID is unique to the network, for instance in the journal. Local networks share their chain
// ID; each has a controller of its own.
func (n Network) ID() string { return fmt.Sprintf("%d/%s", n.ChainID, n.Controller) }

// Network returns the local network. Its state file, written by the user's own process, has the
// addresses of its contracts and controller.
func (s *DevnetState) Network() Network {
	contracts := Contracts{Controller: s.Controller}
	for _, n := range contracts.named() {
		if *n.address = s.Contracts[n.name]; *n.address == (common.Address{}) {
			contracts = Contracts{} // a state file of an older version has none
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
