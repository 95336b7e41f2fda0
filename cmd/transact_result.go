package cmd

import (
	"context"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// event is what a contract says that it did.
type event struct {
	Name   string            `json:"name"`
	Fields map[string]string `json:"fields"`
	text   string
}

// transactionResult is what a command that sends a transaction answers.
type transactionResult struct {
	Hash common.Hash `json:"hash"`
	// Mined tells that it was waited for; the fields below are set only then.
	Mined   bool     `json:"mined"`
	Block   string   `json:"block,omitempty"`
	GasUsed string   `json:"gas_used,omitempty"`
	Fee     *wei.Wei `json:"fee,omitempty"`
	Events  []event  `json:"events,omitempty"`
	// Cancelled tells that the transaction did nothing, in the place of another.
	Cancelled bool `json:"cancelled,omitempty"`
	// Tickets are those of a redemption, with what became of each.
	Tickets []ticketOutcome `json:"tickets,omitempty"`
	// Earlier are the account's other transactions that were not settled when this one
	// was sent, and what became of them.
	Earlier []earlierResult `json:"earlier,omitempty"`
}

// earlierResult is a transaction that was under way when another one was sent.
type earlierResult struct {
	Hash  common.Hash `json:"hash"`
	Nonce string      `json:"nonce"`
	What  string      `json:"what"`
	// Value is the ether that it moves.
	Value wei.Wei `json:"value"`
	State string  `json:"state"`
}

func newEarlier(intents []*tx.Intent) []earlierResult {
	var list []earlierResult
	for _, i := range intents {
		list = append(list, earlierResult{newIntentResult(i).Hash, fmt.Sprint(i.Nonce), i.Label.String(), i.Value(), string(i.State)})
	}
	return list
}

// newTransactionResult is what a receipt says by itself.
func newTransactionResult(receipt *types.Receipt) (transactionResult, error) {
	result := transactionResult{
		Hash:    receipt.TxHash,
		Mined:   true,
		Block:   receipt.BlockNumber.String(),
		GasUsed: fmt.Sprint(receipt.GasUsed),
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

// eventsOf reports the TicketBroker's logs that read makes events of. A transaction
// without any has not done what it was sent for, as far as this node shows.
func eventsOf(read func(*types.Log) (event, bool)) reporter {
	return func(_ context.Context, s situation, receipt *types.Receipt, result *transactionResult) error {
		broker := s.status.Contracts.TicketBroker
		for _, log := range receipt.Logs {
			if log.Address != broker {
				continue
			}
			if e, ok := read(log); ok {
				result.Events = append(result.Events, e)
			}
		}
		if len(result.Events) == 0 {
			return &noEventError{result.Hash, broker}
		}
		return nil
	}
}

// noEventError is a mined transaction whose receipt shows nothing of what it was sent for.
type noEventError struct {
	hash   common.Hash
	broker common.Address
}

func (e *noEventError) Error() string {
	return fmt.Sprintf("transaction %s was mined, but its receipt has no event of the TicketBroker at %s that says what it did", e.hash, e.broker)
}

// Hint says how to find out more.
func (e *noEventError) Hint() string {
	return fmt.Sprintf("look at it through another node: pmctl tx wait %s --rpc-url URL; to send another transaction all the same, pass a new --request-id", e.hash)
}

func (t transactionResult) write(w io.Writer) error {
	var fields []field
	for _, e := range t.Events {
		fields = append(fields, field{"done", e.text})
	}
	fields = append(fields, outcomeFields(t.Tickets)...)
	if t.Cancelled {
		fields = append(fields, field{"done", "cancelled: nothing was moved"})
	}
	fields = append(fields, field{"transaction", t.Hash.Hex()})
	for _, e := range t.Earlier {
		fields = append(fields, field{"earlier", fmt.Sprintf("%s: %s, nonce %s, %s", e.State, e.Hash, e.Nonce, e.What)})
	}
	if t.Block != "" {
		fields = append(fields, field{"block", t.Block})
	}
	if t.Fee != nil {
		fields = append(fields, field{"gas paid", t.Fee.String()})
	}
	return writeFields(w, fields)
}
