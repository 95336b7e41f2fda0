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

	// RPCURL is the node that comes with the network; "" when users bring their own.
	RPCURL string

	// MaxHeadAge is how old the newest block may be for a node to count as up to date; 0
	// is any age, for chains that make blocks only when there is something in them.
	MaxHeadAge time.Duration
}

// Names of the networks that pmctl knows.
const (
	ArbitrumOne      = "arbitrum-one-mainnet"
	arbitrumOneAlias = "mainnet"
	Devnet           = "devnet"
)

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
		return Network{
			Name:       ArbitrumOne,
			ChainID:    42161,
			Controller: common.HexToAddress("0xD8E8328501E9645d16Cf49539efC04f734606ee4"),
			MaxHeadAge: 3 * time.Minute,
		}, nil
	default:
		return Network{}, &UnknownNetworkError{name}
	}
}

// Network returns where the local network is.
func (s *DevnetState) Network() Network {
	return Network{Name: Devnet, ChainID: s.ChainID, Controller: s.Controller, RPCURL: s.RPCURL}
}
