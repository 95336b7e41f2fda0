package wallet

import (
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store"
)

// What a Config or a flow takes, by this package's own names: the packages that define
// them have parts whose order of use keeps money safe, and are used through flows alone.
type (
	// Network is a chain, and the controller of its contracts.
	Network = chain.Network
	// ContractsError is a node that names other contracts than those that are pinned.
	ContractsError = chain.ContractsError
	// Intent is a transaction of the journal, with all that were signed for it.
	Intent = tx.Intent
	// StoreReport is what a check of a store found, StoreDump what is exported of it.
	StoreReport = store.Report
	StoreDump   = store.Dump
	// KnownRecipient is who was paid, KnownTransaction a line of the journal.
	KnownRecipient   = store.KnownRecipient
	KnownTransaction = store.KnownTransaction
	// Recipient is what the contracts say of a recipient.
	Recipient = chain.Recipient
	// Terms are what the user agrees to about other transactions of the account.
	Terms = tx.Terms
)

// LabelText says in words what a label of the journal, or of a document, is.
func LabelText(label string) string { return tx.ReadLabel(label).String() }
