package cli

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/signer"
)

// TransactOptions are what every command takes that sends a transaction.
type TransactOptions struct {
	Network   NetworkOptions
	Account   AccountOptions
	Limits    LimitOptions
	Mining    MiningOptions
	Store     StoreOptions
	Pending   PendingOptions
	requestID string
	dryRun    bool
	unsigned  bool
	Yes       bool
}

// Register adds the flags to a command.
func (o *TransactOptions) Register(cmd *cobra.Command) {
	o.RegisterActing(cmd)
	o.Mining.Register(cmd)
	cmd.Flags().StringVar(&o.requestID, "request-id", "", "`ID` that makes a retry safe: the same ID continues the same transaction and never sends a second one")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "simulate the call and show its highest cost; sign and send nothing")
	cmd.Flags().BoolVar(&o.unsigned, "unsigned", false, "write the unsigned transaction for pmctl tx sign on another machine; needs no key")
	dialect.InGroup(cmd, dialect.TransactionFlags, "request-id", "dry-run", "unsigned")
	dialect.Relate(cmd, dialect.Exclusive, "dry-run", "unsigned", "no-wait")
	dialect.Relate(cmd, dialect.Exclusive, "unsigned", "key-fd")
}

// RegisterActing is Register for a command that sends more than one.
func (o *TransactOptions) RegisterActing(cmd *cobra.Command) {
	o.Network.Register(cmd)
	o.Network.RegisterContracts(cmd)
	o.Account.Register(cmd)
	o.Limits.RegisterFees(cmd)
	o.Store.Register(cmd)
	o.Pending.Register(cmd)
	cmd.Flags().BoolVarP(&o.Yes, "yes", "y", false, "skip the confirmation")
}

// MiningOptions say how long a transaction is waited for.
type MiningOptions struct {
	NoWait        bool
	Confirmations uint64
}

// Register adds the flags to a command.
func (o *MiningOptions) Register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.NoWait, "no-wait", false, "do not wait until the transaction is mined; print its hash")
	dialect.InGroup(cmd, dialect.TransactionFlags, "no-wait")
	o.RegisterConfirmations(cmd)
	dialect.Relate(cmd, dialect.Exclusive, "no-wait", "confirmations")
}

// RegisterConfirmations is Register for a command that always waits.
func (o *MiningOptions) RegisterConfirmations(cmd *cobra.Command) {
	cmd.Flags().Uint64Var(&o.Confirmations, "confirmations", 1, "wait for `N` blocks, including the one with the transaction")
	dialect.InGroup(cmd, dialect.TransactionFlags, "confirmations")
}

// Check refuses what the flags cannot mean.
func (o *MiningOptions) Check() error {
	if o.Confirmations == 0 {
		return Usagef("--confirmations 0: it must be at least 1; --no-wait does not wait at all")
	}
	return nil
}

// WaitOptionsAs is how package wallet waits as the options say, and reports what was done.
func WaitOptionsAs(r *Run, o *MiningOptions) wallet.WaitOptions {
	return wallet.WaitOptions{NoWait: o.NoWait, Confirmations: o.Confirmations, Report: func(t wallet.Transaction) error {
		done := "mined"
		if !t.Mined {
			done = "sent"
		}
		return r.EmitDone(fmt.Sprintf("transaction %s is %s", t.Hash, done), "pmctl.transaction", t, WriteTransaction(t))
	}}
}

// SendOptions is how package wallet sends as the options say.
func SendOptions(r *Run, o *TransactOptions) wallet.SendOptions {
	return wallet.SendOptions{RequestID: o.requestID, Agreed: o.Yes, Terms: o.Pending.Terms(), WaitOptions: WaitOptionsAs(r, &o.Mining)}
}

// Transact does an action once, or shows what it would be.
func Transact(r *Run, cmd *cobra.Command, o *TransactOptions, action func(*wallet.Wallet) wallet.Action) error {
	if err := o.Mining.Check(); err != nil {
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
		document, err := w.Unsigned(cmd.Context(), action(w), o.requestID)
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
	if _, err := w.Do(cmd.Context(), action(w), SendOptions(r, o)); err != nil {
		return err
	}
	if !o.Yes {
		SameAgain(r, cmd, nil, o.Account.Besides(w.Account.Address(), "--yes")...)
	}
	return nil
}

// openActing opens the wallet of the account that acts. One that sends nothing has no store:
// it creates none, and reads the pinned contracts of one that is there.
func openActing(r *Run, cmd *cobra.Command, o *TransactOptions) (*wallet.Wallet, error) {
	limits, err := o.Limits.Limits(r.Env)
	if err != nil {
		return nil, err
	}
	var found *signer.Account
	if o.unsigned {
		var address common.Address
		address, err = o.Account.Address(cmd.Context(), r.Env)
		found = signer.AddressOnly(address)
	} else {
		var network wallet.Network
		if network, err = o.Network.ChooseNetwork(r.Env); err == nil {
			found, err = o.Account.Account(cmd.Context(), r.Env, network.ChainID)
		}
	}
	if err != nil {
		return nil, err
	}
	config, err := WalletConfig(r, &o.Network, &o.Store)
	config.Limits, config.Account = limits, found
	if o.dryRun || o.unsigned {
		config.PinnedIn, config.Store = config.Store, ""
	}
	var w *wallet.Wallet
	if err == nil {
		w, err = wallet.Open(cmd.Context(), config)
	}
	if err != nil {
		found.Close()
	}
	return w, err
}
