// Package contracts carries the local network's own contracts, compiled: a system
// that answers to the deployed network's ABI with the deployed network's revert
// reasons, in the deployed network's order.
//
// The Solidity sources lie in this folder. artifacts.json is made from them by
// build.js with the pinned compiler of package-lock.json and tells the hash of the
// sources that it was made from.
package contracts

import (
	_ "embed" // for artifacts.json
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

//go:embed artifacts.json
var artifactsJSON []byte

// Names of the contracts that can be deployed.
const (
	BondingManager  = "BondingManager"
	Controller      = "Controller"
	ManagerProxy    = "ManagerProxy"
	Minter          = "Minter"
	RoundsManager   = "RoundsManager"
	ServiceRegistry = "ServiceRegistry"
	TicketBroker    = "TicketBroker"
)

// Artifacts is what the compiler made of all sources.
type Artifacts struct {
	// Compiler is the full version of the compiler.
	Compiler string `json:"compiler"`

	// SourceSHA256 is the hex SHA-256 over name, NUL, content, NUL of every source
	// file, by name.
	SourceSHA256 string `json:"source_sha256"`

	// Contracts are the compiled contracts by name.
	Contracts map[string]Contract `json:"contracts"`
}

// Contract is a compiled contract.
type Contract struct {
	ABI abi.ABI `json:"abi"`

	// Bytecode is the creation code, to be followed by the constructor's arguments.
	Bytecode hexutil.Bytes `json:"bytecode"`
}

// Load decodes the compiled contracts.
func Load() (*Artifacts, error) {
	var a Artifacts
	if err := json.Unmarshal(artifactsJSON, &a); err != nil {
		return nil, fmt.Errorf("artifacts.json: %w", err)
	}
	return &a, nil
}

// CreationCode is the data of a transaction that creates the contract: its code and
// the packed arguments of its constructor. It fails when the arguments do not fit.
func (c Contract) CreationCode(args ...any) ([]byte, error) {
	packed, err := c.ABI.Pack("", args...)
	if err != nil {
		return nil, err
	}
	return slices.Concat(c.Bytecode, packed), nil
}
