package cli

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/signer"
)

// TransactOptions are what every command takes that sends a transaction.
type TransactOptions struct {
	WalletOptions
	Send             wallet.SendOptions
	dryRun, unsigned bool
}

// Register adds the flags to a command.
func (o *TransactOptions) Register(r *Run, cmd *cobra.Command) {
	o.RegisterActing(cmd)
	RegisterWait(r, cmd, &o.Send.WaitOptions)
	cmd.Flags().StringVar(&o.Send.RequestID, "request-id", "", "`ID` that makes a retry safe: the same ID continues the same transaction and never sends a second one")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "simulate the call and show its highest cost; sign and send nothing")
	cmd.Flags().BoolVar(&o.unsigned, "unsigned", false, "write the unsigned transaction for pmctl tx sign on another machine; needs no key")
	dialect.InGroup(cmd, dialect.TransactionFlags, "request-id", "dry-run", "unsigned")
	dialect.Relate(cmd, dialect.Exclusive, "dry-run", "unsigned", "no-wait")
	dialect.Relate(cmd, dialect.Exclusive, "unsigned", "key-fd")
}

// RegisterActing is Register for a command that sends more than one.
func (o *TransactOptions) RegisterActing(cmd *cobra.Command) {
	o.RegisterSending(cmd)
	RegisterTerms(cmd, &o.Send.Terms)
	cmd.Flags().BoolVarP(&o.Send.Agreed, "yes", "y", false, "skip the confirmation")
}

// RegisterTerms adds the flags with which the user agrees to the account's other transactions.
func RegisterTerms(cmd *cobra.Command, o *wallet.Terms) {
	cmd.Flags().BoolVar(&o.WithPending, "with-pending", false, "send although earlier transactions of the account are pending, and resend those that the node has lost")
	cmd.Flags().BoolVar(&o.ReplaceUnknown, "replace-unknown", false, "send although the node has pending transactions that pmctl did not sign; this one may replace one of them")
	dialect.InGroup(cmd, dialect.TransactionFlags, "with-pending", "replace-unknown")
}

// RegisterCancelsUnlock is for commands that may fund the account itself, by which the
// contract cancels an unlock.
func RegisterCancelsUnlock(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "cancel-unlock", false, "fund even if that cancels an unlock in progress")
}

// RegisterWait adds the flags of a command that sends a transaction and, unless the user does not
// want that, waits until it is mined.
func RegisterWait(r *Run, cmd *cobra.Command, o *wallet.WaitOptions) {
	cmd.Flags().BoolVar(&o.NoWait, "no-wait", false, "do not wait until the transaction is mined; print its hash")
	dialect.InGroup(cmd, dialect.TransactionFlags, "no-wait")
	RegisterConfirmations(r, cmd, o)
	dialect.Relate(cmd, dialect.Exclusive, "no-wait", "confirmations")
}

// RegisterConfirmations is RegisterWait for a command that always waits.
func RegisterConfirmations(r *Run, cmd *cobra.Command, o *wallet.WaitOptions) {
	cmd.Flags().Uint64Var(&o.Confirmations, "confirmations", 1, "wait for `N` blocks, including the one with the transaction")
	dialect.InGroup(cmd, dialect.TransactionFlags, "confirmations")
	o.Report = func(t wallet.Transaction) error {
		done := "mined"
		if !t.Mined {
			done = "sent"
		}
		return r.EmitDone(fmt.Sprintf("transaction %s is %s", t.Hash, done), "pmctl.transaction", t, WriteTransaction(t))
	}
}

// CheckWait refuses what the flags cannot mean.
func CheckWait(o *wallet.WaitOptions) error {
	if o.Confirmations == 0 {
		return Usagef("--confirmations 0: it must be at least 1; --no-wait does not wait at all")
	}
	return nil
}

// Transact does an action once, or shows what it would be.
func Transact(r *Run, cmd *cobra.Command, o *TransactOptions, action func(*wallet.Wallet) wallet.Action) error {
	if err := CheckWait(&o.Send.WaitOptions); err != nil {
		return err
	}
	if r.Output == OutputSafe && !o.unsigned {
		return Usagef("--output %s writes a transaction for a Safe to sign: add --unsigned, and the Safe's address as --from", OutputSafe)
	}
	w, err := openActing(r, cmd, o)
	if err != nil {
		return err
	}
	defer w.Close() // after everything else
	switch {
	case o.unsigned:
		document, err := w.Unsigned(cmd.Context(), action(w), o.Send.RequestID)
		if err != nil {
			return err
		}
		return emitUnsigned(r, document)
	case o.dryRun:
		proposal, err := w.Simulate(cmd.Context(), action(w))
		if err != nil {
			return err
		}
		return emitDryRun(r, proposal)
	}
	if _, err := w.Do(cmd.Context(), action(w), o.Send); err != nil {
		return err
	}
	if !o.Send.Agreed {
		SameAgain(r, cmd, nil, o.Account.Besides(w.Account.Address(), "--yes")...)
	}
	return nil
}

// openActing opens the wallet of the account that acts. One that sends nothing has no store:
// it creates none, and reads the pinned contracts of one that is there.
func openActing(r *Run, cmd *cobra.Command, o *TransactOptions) (*wallet.Wallet, error) {
	config, err := LimitedConfig(r, &o.WalletOptions)
	if err != nil {
		return nil, err
	}
	if o.unsigned {
		var address common.Address
		address, err = o.Account.Address(cmd.Context(), r.Env)
		config.Account = signer.AddressOnly(address)
	} else {
		config.Account, err = o.Account.Account(cmd.Context(), r.Env, config.Network.ChainID)
	}
	if err != nil {
		return nil, err
	}
	if o.dryRun || o.unsigned {
		config.PinnedIn, config.Store = config.Store, ""
	}
	w, err := wallet.Open(cmd.Context(), config)
	if err != nil {
		config.Account.Close()
	}
	return w, err
}

// OpenSending opens a wallet that sends several transactions over any time, and opens its key for
// each. An agent signs them unless they are for another account, the beneficiary.
func OpenSending(ctx context.Context, r *Run, o *WalletOptions, beneficiary common.Address) (*wallet.Wallet, error) {
	config, err := LimitedConfig(r, o)
	if err != nil {
		return nil, err
	}
	if o.Account.Keys.FD.Given { // which is read once
		config.Account, err = o.Account.Account(ctx, r.Env, config.Network.ChainID)
	} else {
		config.Account, err = o.later(ctx, r.Env, config.Network.ChainID, beneficiary)
	}
	if err != nil {
		return nil, err
	}
	w, err := wallet.Open(ctx, config)
	if err != nil {
		config.Account.Close()
	}
	return w, err
}

// later is the account that acts, whose key is looked for each time that it is needed.
func (o *WalletOptions) later(ctx context.Context, env *Env, agents uint64, beneficiary common.Address) (*signer.Account, error) {
	address, err := o.Account.Address(ctx, env)
	if beneficiary != (common.Address{}) && beneficiary != address {
		agents = 0 // an agent funds its own account only
	}
	return signer.Later(address, func(ctx context.Context) (*signer.Account, error) {
		return o.Account.Keys.Find(ctx, env, &address, agents)
	}), err
}

// WriteTransaction writes what became of a transaction, for people.
func WriteTransaction(t wallet.Transaction) func(*page.Page) {
	return func(w *page.Page) {
		var fields []page.Field
		for _, e := range t.Events {
			if e.Fields["amount"] != "0" {
				fields = append(fields, page.Field{"done", e.String()})
			}
		}
		fields = append(fields, outcomeFields(t.Tickets)...)
		fields = append(fields, page.Field{"done", page.If(t.Cancelled, "cancelled: nothing was moved")}, page.Field{"transaction", t.Hash.Hex()})
		for _, e := range t.Earlier {
			fields = append(fields, page.Field{"earlier", fmt.Sprintf("%s: %s, nonce %d, %s", e.State, e.Hash, e.Nonce, e.What)})
		}
		fields = append(fields, page.Field{"block", page.If(t.Block != 0, fmt.Sprint(t.Block))})
		if t.Fee != nil {
			fields = append(fields, page.Field{"gas paid", t.Fee.String()})
		}
		w.Fields(fields)
	}
}

// outcomeFields are the tickets that won, for a person.
func outcomeFields(tickets []wallet.TicketOutcome) []page.Field {
	var fields []page.Field
	for _, t := range tickets {
		switch {
		case t.Outcome == "redeemed":
			fields = append(fields, page.Field{"redeemed", fmt.Sprintf("the ticket with nonce %d, which paid %s", t.Nonce, t.Paid)})
		case t.Outcome != "lost":
			fields = append(fields, page.Field{"not redeemed", fmt.Sprintf("the ticket with nonce %d: %s", t.Nonce, t.Reason)})
		}
	}
	return fields
}
