package wallet

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Transaction is the result of a transaction that was sent.
type Transaction struct {
	Hash common.Hash `json:"transaction_hash"`
	// Mined reports that the transaction is mined; the fields below are set only then.
	Mined   bool           `json:"mined"`
	Block   uint64         `json:"block,omitempty"`
	GasUsed uint64         `json:"gas_used,omitempty"`
	Fee     *wei.Wei       `json:"fee,omitempty"`
	Events  []broker.Event `json:"events,omitempty"`
	// Cancelled reports that this is an empty transaction which replaced another.
	Cancelled bool `json:"cancelled,omitempty"`
	// Tickets are the results of a redemption.
	Tickets []TicketOutcome `json:"outcomes,omitempty"`
	// Earlier are the account's other transactions that were pending when this one was sent, and
	// their states now.
	Earlier []Earlier `json:"earlier,omitempty"`
	// Warnings are what could not be checked.
	Warnings []format.Warning `json:"warnings,omitempty"`
}

// Earlier is a transaction that was pending when another one was sent.
type Earlier struct {
	Hash  common.Hash `json:"transaction_hash"`
	Nonce uint64      `json:"nonce"`
	What  string      `json:"description"`
	// Value is the ether that it moves.
	Value wei.Wei `json:"value"`
	State string  `json:"state"`
}

func earlier(intents []*tx.Intent) []Earlier {
	var list []Earlier
	for _, i := range intents {
		list = append(list, Earlier{i.Hash(), i.Nonce, i.Label.String(), i.Value(), string(i.State)})
	}
	return list
}

// mined returns what the receipt alone shows.
func mined(receipt *types.Receipt) (Transaction, error) {
	result := Transaction{
		Hash:    receipt.TxHash,
		Mined:   true,
		Block:   receipt.BlockNumber.Uint64(),
		GasUsed: receipt.GasUsed,
	}
	if receipt.EffectiveGasPrice == nil {
		return result, nil
	}
	price, err := wei.FromBig(receipt.EffectiveGasPrice)
	if err != nil {
		return result, err
	}
	fee, err := price.Mul(receipt.GasUsed)
	result.Fee = &fee
	return result, err
}

// Transactions returns the account's transactions in the journal, newest first. It asks no node.
func (w *Wallet) Transactions(ctx context.Context, account common.Address) ([]*tx.Intent, error) {
	if err := w.requireStore(); err != nil {
		return nil, err
	}
	return w.journal.Intents(ctx, account)
}

// Transaction returns a transaction of the journal. It returns tx.ErrUnknown.
func (w *Wallet) Transaction(ctx context.Context, hash common.Hash) (*tx.Intent, error) {
	if err := w.requireStore(); err != nil {
		return nil, err
	}
	intent, err := w.journal.Find(ctx, hash)
	return intent, hint.With(err, "pmctl tx list --all shows the transactions of this store on %s", w.Network.Name)
}

// Wait waits until a transaction of the journal, or its replacement, is mined. With withPending it
// also resends the account's earlier transactions that the node has lost. It returns the errors of
// tx.Manager.Await.
func (w *Wallet) Wait(ctx context.Context, hash common.Hash, withPending bool, o WaitOptions) (Transaction, error) {
	ctx, cancel := w.bound(ctx)
	defer cancel()
	a, err := w.adopt(ctx, hash, o)
	if err != nil {
		return Transaction{}, err
	}
	a.withPending = withPending
	result, err := a.await(ctx)
	return result, a.end(ctx, err)
}

// adopt loads a transaction of the journal and makes this run responsible for reporting it.
func (w *Wallet) adopt(ctx context.Context, hash common.Hash, o WaitOptions) (*pendingTx, error) {
	intent, err := w.Transaction(ctx, hash)
	if err != nil {
		return nil, err
	}
	s, err := w.look(ctx, intent.Account)
	if err != nil {
		return nil, err
	}
	err = w.journal.Adopt(ctx, intent)
	if errors.Is(err, tx.ErrChanged) { // another run changed it meanwhile
		if err = w.journal.Reload(ctx, intent); err == nil {
			err = w.journal.Adopt(ctx, intent)
		}
	}
	return &pendingTx{Wallet: w, situation: s, WaitOptions: o, intent: intent, report: reportEvents()}, err
}
