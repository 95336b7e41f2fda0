package chain

import (
	"context"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"
)

// Pins remember, from one run to the next, where a chain's networks have their contracts.
type Pins interface {
	// Contracts returns the addresses that are pinned for the network with a controller,
	// and false when none are.
	Contracts(ctx context.Context, controller common.Address) (Contracts, bool, error)

	// PinContracts pins addresses unless some are pinned already, and returns those that
	// are pinned then.
	PinContracts(ctx context.Context, found Contracts) (Contracts, error)

	// ReplaceContracts pins addresses in place of those that were pinned.
	ReplaceContracts(ctx context.Context, found Contracts) error
}

// Pin has the client refuse, with *ContractsError, a node that names other contracts than
// are pinned, and pin those that are found first. With accept, other contracts replace the
// pinned ones, once. The pins are read now: what another process pins later is no concern
// of a client that has read a pin. It is called before anything is asked. The addresses
// that are built in need no pin, and nothing replaces them.
func (c *Client) Pin(ctx context.Context, pins Pins, accept bool) error {
	if c.network.BuiltIn() {
		return nil
	}
	pinned, ok, err := pins.Contracts(ctx, c.network.Controller)
	if err != nil {
		return err
	}
	c.registry.mu.Lock()
	defer c.registry.mu.Unlock()
	if ok {
		c.registry.expected = pinned
	}
	c.registry.pins, c.registry.accept = pins, accept
	return nil
}

// ContractsError is a node that names other contracts than those that are known. Whoever
// gets a transaction to another TicketBroker sent gets its ether.
type ContractsError struct {
	// Network is the network's name, URL the node's, without what is secret in it.
	Network, URL string

	// BuiltIn tells that the known addresses are part of pmctl, and not pinned.
	BuiltIn bool

	// Changes are the contracts that differ, at least one.
	Changes []ContractChange
}

// ContractChange is a contract that a node names at another address.
type ContractChange struct {
	// Name is the contract's in the registry.
	Name string
	// Known is where it is, Found where the node says it is.
	Known, Found common.Address
}

func (e *ContractsError) Error() string {
	changes := make([]string, 0, len(e.Changes))
	for _, c := range e.Changes {
		changes = append(changes, fmt.Sprintf("%s %v in place of %v", c.Name, c.Found, c.Known))
	}
	return fmt.Sprintf("the node at %s names other contracts for %s: %s", e.URL, e.Network, strings.Join(changes, ", "))
}

// Hint says what to do.
func (e *ContractsError) Hint() string {
	if e.BuiltIn {
		return "use another node: --rpc-url URL; pmctl has this network's addresses built in, and a newer pmctl would have new ones"
	}
	return "use another node: --rpc-url URL; only if you know that the network has new contracts, repeat the command with --accept-contracts"
}

// changes lists the contracts whose address is another one in found.
func (c Contracts) changes(found Contracts) (changes []ContractChange) {
	were, are := c.named(), found.named()
	for i, was := range were {
		if *was.address != *are[i].address {
			changes = append(changes, ContractChange{Name: was.name, Known: *was.address, Found: *are[i].address})
		}
	}
	return changes
}
