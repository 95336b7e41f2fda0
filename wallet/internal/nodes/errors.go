package nodes

import (
	"errors"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
)

// ErrUnreachable is returned if a node cannot be asked: there is no answer, or the server is
// not an Ethereum node.
var ErrUnreachable = hint.With(errors.New("the RPC node cannot be reached"),
	"check --rpc-url (or ETH_RPC_URL) and the connection; for the local network, start pmctl-devnet")

// ChainIDError is returned if a node serves another chain than the network's.
type ChainIDError struct {
	// Network is the network's name, URL the node's, without secrets.
	Network, URL string
	// Got is the node's chain ID, Want the network's.
	Got, Want uint64
}

func (e *ChainIDError) Error() string {
	return fmt.Sprintf("the node at %s serves chain ID %d, but %s is chain ID %d", e.URL, e.Got, e.Network, e.Want)
}

func (e *ChainIDError) Hint() string {
	return "pass the --rpc-url of a node of the network, or choose the network with --network"
}

// StaleError is a node whose newest block is too old. It matches ErrUnreachable: the chain's
// present state is not available from it.
type StaleError struct {
	// URL is the node's, without secrets.
	URL string
	// Age is how old its newest block is, Max how old it may be.
	Age, Max time.Duration
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("the newest block of the node at %s is %s old, at most %s is allowed: the node has fallen behind, or this machine's clock is wrong", e.URL, duration.Text(e.Age.Round(time.Second)), duration.Text(e.Max))
}

func (e *StaleError) Is(target error) bool { return target == ErrUnreachable }

func (e *StaleError) Hint() string {
	return "pass another node's --rpc-url, or set rpc_urls in the config file"
}
