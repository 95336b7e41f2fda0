package wallet

import (
	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/internal/nodes"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store"
)

// Types of lower packages that a Config or a flow uses. Those packages have operations whose order
// keeps money safe, so programs use them through this package.
type (
	// Network is a chain with the controller of its contracts.
	Network = chain.Network
	// ContractsError is returned if a node names other contracts than the pinned ones.
	ContractsError = chain.ContractsError
	// Intent is a transaction in the journal, with every version signed for it.
	Intent = tx.Intent
	// StoreReport is the result of CheckStore, StoreDump an exported store.
	StoreReport = store.Report
	StoreDump   = store.Dump
	// KnownRecipient is a recipient paid before, KnownTransaction a line of the journal.
	KnownRecipient   = store.KnownRecipient
	KnownTransaction = store.KnownTransaction
	// Recipient is what the contracts record about a recipient.
	Recipient = chain.Recipient
	// Terms are what the user agrees to about the account's other transactions.
	Terms = tx.Terms
)

// ErrUnknownTransaction is returned for a transaction that the journal lacks.
var ErrUnknownTransaction = tx.ErrUnknown

// LabelText returns a label of the journal, or of a document, in words.
func LabelText(label string) string { return tx.ReadLabel(label).String() }

// Names of networks.
const (
	ArbitrumOne = chain.ArbitrumOne
	Devnet      = chain.Devnet
)

// ErrNoDevnet is returned if the local network is not running.
var ErrNoDevnet = chain.ErrNoDevnet

// NamedNetwork returns a built-in network by name. It fails for any other name.
func NamedNetwork(name string) (Network, error) { return chain.NamedNetwork(name) }

// NetworkAt returns the network of a chain ID and its controller contract.
func NetworkAt(chainID uint64, controller common.Address) Network {
	return chain.NetworkAt(chainID, controller)
}

// DevnetAt returns the local network described by a state file. It returns ErrNoDevnet.
func DevnetAt(path string) (Network, error) {
	state, err := chain.ReadDevnetState(path)
	if err != nil {
		return Network{}, err
	}
	return state.Network(), nil
}

// DisplayURL returns a node's URL without its secrets.
func DisplayURL(url string) string { return nodes.DisplayURL(url) }
