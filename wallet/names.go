package wallet

import (
	"github.com/pmctl/pmctl/wallet/chain"
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

// LabelText returns a label of the journal, or of a document, in words.
func LabelText(label string) string { return tx.ReadLabel(label).String() }
