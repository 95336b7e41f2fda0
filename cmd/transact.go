package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// transactOptions are what every command takes that sends a transaction.
type transactOptions struct {
	network networkOptions
	account accountOptions
	yes     bool
	noWait  bool
}

func (o *transactOptions) register(cmd *cobra.Command) {
	o.network.register(cmd)
	o.account.register(cmd)
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&o.noWait, "no-wait", false, "print the transaction's hash as soon as it is sent, without waiting until it is mined")
}

// intent is one thing to do with the TicketBroker contract.
type intent struct {
	// call is the transaction, and say what it will do: a sentence each.
	call func(broker common.Address) tx.Call
	say  []string
	// ask is the question that a person answers.
	ask string
	// report adds what the contract says that it did to the result of a transaction that
	// was mined.
	report func(context.Context, *types.Receipt, *transactionResult) error
}

// situation is what a command finds before it decides what to send.
type situation struct {
	client  *chain.Client
	status  *chain.Status
	account common.Address
}

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
	// Tickets are those of a redemption, with what became of each.
	Tickets []ticketOutcome `json:"tickets,omitempty"`
}

// planner decides what to send, or refuses.
type planner func(context.Context, situation) (intent, error)

// transact does what plan says. Nothing is signed before the call was simulated,
// priced, shown and agreed to.
func (r *run) transact(cmd *cobra.Command, o *transactOptions, plan planner) error {
	store, account, err := o.account.account(cmd.Context(), r.Env)
	if err != nil {
		return err
	}
	ctx, cancel, err := o.network.bound(cmd.Context())
	if err != nil {
		return err
	}
	defer cancel()
	client, err := o.network.dial(ctx, r.Env)
	if err != nil {
		return err
	}
	defer client.Close()
	status, err := client.Status(ctx, account.Address)
	if err != nil {
		return err
	}
	if status.Paused {
		return &chain.RevertError{Reason: chain.ErrPaused.Error()}
	}
	intent, err := plan(ctx, situation{client, status, account.Address})
	if err != nil {
		return err
	}
	prepared, err := tx.Prepare(ctx, client, account.Address, intent.call(status.Contracts.TicketBroker))
	if err != nil {
		return err
	}
	r.note("network   %s (chain id %d)", client.Network().Name, client.Network().ChainID)
	r.note("account   %s", account.Address)
	r.note("contract  TicketBroker at %s", status.Contracts.TicketBroker)
	r.note("gas       at most %s", prepared.MaxFee)
	for _, sentence := range intent.say {
		r.note("%s", sentence)
	}
	// Whoever thinks about the answer is not waited for by a node.
	if err := r.confirm(cmd.Context(), o.yes, intent.ask); err != nil {
		return err
	}
	signer, err := store.Unlock(cmd.Context(), account, o.account.passphrase.source(r.Env))
	if err != nil {
		return err
	}
	defer signer.Close()
	if err := cmd.Context().Err(); err != nil {
		return err
	}
	ctx, cancel, err = o.network.bound(cmd.Context())
	if err != nil {
		return err
	}
	defer cancel()
	sent, err := tx.Send(ctx, client, signer, prepared)
	if err != nil {
		return err
	}
	if o.noWait {
		result := transactionResult{Hash: sent.Hash()}
		return r.emitDone(fmt.Sprintf("transaction %s is sent", sent.Hash()), "pmctl.transaction", result, result.write)
	}
	r.note("sent      %s, waiting until it is mined", sent.Hash())
	receipt, err := tx.Wait(ctx, client, sent.Hash())
	if err != nil {
		return explainFailure(ctx, client, prepared, receipt, err)
	}
	result, err := newTransactionResult(receipt)
	if err != nil {
		return err
	}
	failed := intent.report(ctx, receipt, &result)
	if len(result.Events) > 0 || len(result.Tickets) > 0 {
		err = r.emitDone(fmt.Sprintf("transaction %s is mined", result.Hash), "pmctl.transaction", result, result.write)
	}
	return errors.Join(err, failed)
}

// explainFailure adds the contract's reason to a transaction that was mined and
// failed.
func explainFailure(ctx context.Context, node tx.Backend, prepared *tx.Prepared, receipt *types.Receipt, err error) error {
	var failed *tx.FailedError
	if errors.As(err, &failed) {
		failed.Err = prepared.Replay(ctx, node, receipt)
	}
	return err
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

// eventsOf reports the logs that read makes events of. A transaction without any has
// not done what it was sent for.
func eventsOf(read func(*types.Log) (event, bool)) func(context.Context, *types.Receipt, *transactionResult) error {
	return func(_ context.Context, receipt *types.Receipt, result *transactionResult) error {
		for _, log := range receipt.Logs {
			if e, ok := read(log); ok {
				result.Events = append(result.Events, e)
			}
		}
		if len(result.Events) == 0 {
			return fmt.Errorf("transaction %s was mined, but the contract does not say that it did anything", result.Hash)
		}
		return nil
	}
}

func (t transactionResult) write(w io.Writer) error {
	if !t.Mined {
		return writeFields(w, []field{{"transaction", t.Hash.Hex()}})
	}
	var fields []field
	for _, e := range t.Events {
		fields = append(fields, field{"done", e.text})
	}
	fields = append(fields, outcomeFields(t.Tickets)...)
	fields = append(fields, field{"transaction", t.Hash.Hex()}, field{"block", t.Block})
	if t.Fee != nil {
		fields = append(fields, field{"gas paid", t.Fee.String()})
	}
	return writeFields(w, fields)
}
