package wallet

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

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
