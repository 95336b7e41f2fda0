package nodes

import (
	"fmt"
	"time"
)

// ErrUnreachable is returned when a node cannot be asked: nobody answers, or what
// answers is no Ethereum node.
var ErrUnreachable error = unreachable{}

type unreachable struct{}

func (unreachable) Error() string { return "the RPC node cannot be reached" }

// Hint says what to check.
func (unreachable) Hint() string {
	return "check --rpc-url (or ETH_RPC_URL) and the connection; for the local network, start pmctl-devnet"
}

// ChainIDError is returned when a node serves another chain than the network's.
type ChainIDError struct {
	// Network is the network's name, URL the node's, without what is secret in it.
	Network, URL string
	// Got is the node's chain id, Want the network's.
	Got, Want uint64
}

func (e *ChainIDError) Error() string {
	return fmt.Sprintf("the node at %s serves chain id %d, %s is chain id %d", e.URL, e.Got, e.Network, e.Want)
}

// Hint says what to set.
func (e *ChainIDError) Hint() string {
	return "pass the --rpc-url of a node of the network, or choose the network with --network"
}

// StaleError is a node that does not know what the chain is like now. It matches
// ErrUnreachable: the chain cannot be asked through it.
type StaleError struct {
	// URL is the node's, without what is secret in it.
	URL string
	// Age is how old its newest block is, Max how old that may be.
	Age, Max time.Duration
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("the newest block of the node at %s is %s old, at most %s is allowed: it has fallen behind, or the clock here is wrong", e.URL, e.Age.Round(time.Second), e.Max)
}

// Is matches ErrUnreachable.
func (e *StaleError) Is(target error) bool { return target == ErrUnreachable }

// Hint says what to do.
func (e *StaleError) Hint() string {
	return "use another node: --rpc-url, or rpc_urls in the config file"
}
