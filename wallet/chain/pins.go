package chain

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/words"
)

// Pins store the addresses of networks' contracts from one run to the next.
type Pins interface {
	// Contracts returns the addresses pinned for the network with a controller, and false if
	// none are.
	Contracts(ctx context.Context, controller common.Address) (Contracts, bool, error)

	// PinContracts pins addresses unless some are pinned already, and returns the pinned ones.
	PinContracts(ctx context.Context, found Contracts) (Contracts, error)

	// ReplaceContracts replaces the pinned addresses.
	ReplaceContracts(ctx context.Context, found Contracts) error
}

// Pin makes the client pin the first contracts that it finds, and refuse with *ContractsError a
// node that reports others than the pinned ones. With accept, other contracts replace the pinned
// ones, once. The pins are read now: this client ignores what another process pins later. Call it
// before the first request. Built-in addresses need no pin, and are never replaced.
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

// ContractsError is a node that reports other contracts than the known ones. A transaction to a
// false TicketBroker would lose its ether.
type ContractsError struct {
	// Network is the network's name, URL the node's, without secrets.
	Network, URL string
	// BuiltIn is set if the known addresses are built into pmctl, not pinned.
	BuiltIn bool
	// Changes are the contracts that differ, at least one.
	Changes []ContractChange
}

// ContractChange is a contract that a node reports at another address.
type ContractChange struct {
	// Name is the contract's in the registry.
	Name string
	// Known is its known address, Found the node's.
	Known, Found common.Address
}

func (e *ContractsError) Error() string {
	changes := words.Join(e.Changes, ", ", func(c ContractChange) string { return fmt.Sprintf("%s %v instead of %v", c.Name, c.Found, c.Known) })
	return fmt.Sprintf("the node at %s names other contracts for %s: %s", e.URL, e.Network, changes)
}

// Hint says what can be done.
func (e *ContractsError) Hint() string {
	if e.BuiltIn {
		return "pass another node's --rpc-url; this network's addresses are built into pmctl, so if they really changed, update pmctl"
	}
	return "pass another node's --rpc-url; only if you know that the network has new contracts, pass --accept-contracts to pmctl fund, or to another command that pays or sends"
}

// changes lists the contracts whose address differs in found.
func (c Contracts) changes(found Contracts) (changes []ContractChange) {
	were, are := c.named(), found.named()
	for i, was := range were {
		if *was.address != *are[i].address {
			changes = append(changes, ContractChange{Name: was.name, Known: *was.address, Found: *are[i].address})
		}
	}
	return changes
}
