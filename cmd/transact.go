package cmd

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/signer"
)

// transactOptions are what every command takes that sends a transaction.
type transactOptions struct {
	network   networkOptions
	account   accountOptions
	fees      feeOptions
	mining    miningOptions
	store     storeOptions
	pending   pendingOptions
	requestID string
	dryRun    bool
	unsigned  bool
	yes       bool
}

func (o *transactOptions) register(cmd *cobra.Command) {
	o.network.register(cmd)
	o.network.registerContracts(cmd)
	o.account.register(cmd)
	o.fees.register(cmd)
	o.mining.register(cmd)
	o.store.register(cmd)
	o.pending.register(cmd)
	cmd.Flags().StringVar(&o.requestID, "request-id", "", "`ID` of your own: the same command with it again continues the same transaction, and never sends a second one")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show the call, what the simulation says, and the highest price; sign and send nothing")
	cmd.Flags().BoolVar(&o.unsigned, "unsigned", false, "write the transaction for pmctl tx sign on another machine; no key is needed here")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "unsigned", "no-wait")
	cmd.MarkFlagsMutuallyExclusive("unsigned", "key-fd")
}

// miningOptions say how long a transaction is waited for.
type miningOptions struct {
	noWait        bool
	confirmations uint64
}

func (o *miningOptions) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.noWait, "no-wait", false, "print the transaction's hash as soon as it is sent, without waiting until it is mined")
	o.registerConfirmations(cmd)
	cmd.MarkFlagsMutuallyExclusive("no-wait", "confirmations")
}

func (o *miningOptions) registerConfirmations(cmd *cobra.Command) {
	cmd.Flags().Uint64Var(&o.confirmations, "confirmations", 1, "wait until this `NUMBER` of blocks has the transaction, its own included")
}

func (o *miningOptions) check() error {
	if o.confirmations == 0 {
		return usagef("--confirmations 0: it must be at least 1; --no-wait does not wait at all")
	}
	return nil
}

// waiting is how package wallet waits as the options say, and reports what was done.
func (r *run) waits(o *miningOptions) wallet.Waiting {
	return wallet.Waiting{NoWait: o.noWait, Confirmations: o.confirmations, Report: func(t wallet.Transaction) error {
		done := "mined"
		if !t.Mined {
			done = "sent"
		}
		return r.emitDone(fmt.Sprintf("transaction %s is %s", t.Hash, done), "pmctl.transaction", t, writeTransaction(t))
	}}
}

// sending is how package wallet sends as the options say.
func (r *run) sending(o *transactOptions) wallet.Sending {
	return wallet.Sending{RequestID: o.requestID, Agreed: o.yes, Terms: o.pending.terms(), Waiting: r.waits(&o.mining)}
}

// transact does an action once, or shows what it would be.
func (r *run) transact(cmd *cobra.Command, o *transactOptions, action func(*wallet.Wallet) wallet.Action) error {
	if err := o.mining.check(); err != nil {
		return err
	}
	if r.output == outputSafe && !o.unsigned {
		return usagef("--output %s is a transaction for a Safe to sign: it goes with --unsigned, and --from is the Safe", outputSafe)
	}
	if o.dryRun || o.unsigned {
		return r.withoutSending(cmd, o, action)
	}
	w, err := r.openActing(cmd, o)
	if err != nil {
		return err
	}
	defer w.Close() // after everything else
	if _, err := w.Do(cmd.Context(), action(w), r.sending(o)); err != nil {
		return err
	}
	if !o.yes {
		r.sameAgain(cmd, nil, o.account.besides(w.Account.Address(), "--yes")...)
	}
	return nil
}

// openActing opens the wallet of the account that acts.
func (r *run) openActing(cmd *cobra.Command, o *transactOptions) (*wallet.Wallet, error) {
	limits, err := o.fees.limits(r.Env)
	if err != nil {
		return nil, err
	}
	found, err := r.acting(cmd, o)
	if err != nil {
		return nil, err
	}
	config, err := r.config(&o.network, &o.store)
	if err != nil {
		found.Close()
		return nil, err
	}
	config.Limits, config.Account = limits, found
	w, err := wallet.Open(cmd.Context(), config)
	if err != nil {
		found.Close()
	}
	return w, err
}

// acting finds the account that acts on the chosen network.
func (r *run) acting(cmd *cobra.Command, o *transactOptions) (*signer.Account, error) {
	network, err := o.network.chooseNetwork(r.Env)
	if err != nil {
		return nil, err
	}
	return o.account.account(cmd.Context(), r.Env, network.ChainID)
}

// withoutSending shows what would be sent, or writes it for another machine.
func (r *run) withoutSending(cmd *cobra.Command, o *transactOptions, action func(*wallet.Wallet) wallet.Action) error {
	limits, err := o.fees.limits(r.Env)
	if err != nil {
		return err
	}
	var found *signer.Account
	if o.unsigned {
		var address common.Address
		address, err = o.account.address(cmd.Context(), r.Env)
		found = signer.AddressOnly(address)
	} else {
		found, err = r.acting(cmd, o)
	}
	if err != nil {
		return err
	}
	defer found.Close()
	config, err := r.config(&o.network, &o.store)
	if err != nil {
		return err
	}
	config.Limits = limits
	w, err := wallet.Open(cmd.Context(), withoutStore(config))
	if err != nil {
		return err
	}
	defer w.Close()
	if o.unsigned {
		document, err := w.Unsigned(cmd.Context(), found.Address(), action(w), o.requestID)
		if err != nil {
			return err
		}
		return r.emitUnsigned(document)
	}
	proposal, err := w.Simulate(cmd.Context(), found.Address(), action(w))
	if err != nil {
		return err
	}
	return r.emitDryRun(proposal)
}

// only is an action that needs nothing of the wallet.
func only(a wallet.Action) func(*wallet.Wallet) wallet.Action {
	return func(*wallet.Wallet) wallet.Action { return a }
}
