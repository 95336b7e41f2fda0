package chain

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/ethereum/go-ethereum/common"
)

// DevnetState is the state file of a running local network. It has private keys of throw-away
// accounts and is written with mode 0600.
type DevnetState struct {
	// PID is the process that serves the network.
	PID int `json:"pid"`
	// ChainID is 1337, or 412346 in the Arbitrum mode.
	ChainID uint64 `json:"chain_id"`
	// Arbitrum is set if blocks have an L1 block number of their own.
	Arbitrum bool `json:"arbitrum"`
	// RPCURL and WSURL serve JSON-RPC over HTTP and WebSocket.
	RPCURL string `json:"rpc_url"`
	WSURL  string `json:"ws_url"`
	// ControlURL serves the control API for tests.
	ControlURL string `json:"control_url"`
	// Controller is the registry contract, from which all others are found.
	Controller common.Address `json:"controller"`
	// Contracts are the registered contracts by name.
	Contracts map[string]common.Address `json:"contracts"`
	// Accounts are funded accounts for experiments.
	Accounts []DevnetAccount `json:"accounts"`
	// Recipients are the network's recipients.
	Recipients []DevnetRecipient `json:"recipients"`
}

// DevnetAccount is a funded throw-away account.
type DevnetAccount struct {
	Address common.Address `json:"address"`
	// PrivateKey is the 32-byte secp256k1 key in hex, with 0x.
	PrivateKey string `json:"private_key"`
}

// DevnetRecipient is a recipient that the local network runs.
type DevnetRecipient struct {
	Address common.Address `json:"address"`
	// URL is its service URI over TLS with a self-signed certificate.
	URL string `json:"url"`
	// PlainURL is the same service over h2c.
	PlainURL string `json:"plain_url"`
	// StatusURL serves counts of accepted, credited and refused payments, as JSON.
	StatusURL string `json:"status_url"`
}

// ErrNoDevnet is returned if there is no state file of a local network.
var ErrNoDevnet = errors.New("no local network is running")

// ReadDevnetState reads the state file of a local network. It fails with ErrNoDevnet if there
// is none.
func ReadDevnetState(path string) (*DevnetState, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s does not exist; start one with pmctl-devnet", ErrNoDevnet, path)
	}
	if err != nil {
		return nil, err
	}
	var state DevnetState
	if err := json.Unmarshal(data, &state); err != nil {
		return nil, fmt.Errorf("%s is not a local network's state file: %w", path, err)
	}
	return &state, nil
}
