package chain

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
)

// NoContractError is returned if a contract is not where it should be.
type NoContractError struct {
	// Name is the contract's, Network the network's.
	Name, Network string
	// Address is the address without code; zero if the registry has no such contract.
	Address common.Address
}

func (e *NoContractError) Error() string {
	if e.Address == (common.Address{}) {
		return fmt.Sprintf("the controller of %s has no %s registered", e.Network, e.Name)
	}
	return fmt.Sprintf("there is no %s contract at %s on %s: the address has no code", e.Name, e.Address, e.Network)
}

// Hint says what can be done.
func (e *NoContractError) Hint() string {
	return "check --controller and --network: all contracts are looked up in that controller"
}
