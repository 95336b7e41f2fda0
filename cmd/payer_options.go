package cmd

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
)

// payerOptions are what every command takes that makes tickets, or asks for params to
// make them from.
type payerOptions struct {
	network networkOptions
	account accountOptions
	limits  limitOptions
	store   storeOptions
}

func (o *payerOptions) register(cmd *cobra.Command) {
	o.registerReading(cmd)
	o.network.registerContracts(cmd)
}

// registerReading is register for a command that signs nothing.
func (o *payerOptions) registerReading(cmd *cobra.Command) {
	o.limits.register(cmd)
	o.limits.registerHeadAge(cmd)
	o.account.register(cmd)
	o.network.register(cmd)
	o.store.register(cmd)
}

// openWallet looks at everything that the command line and the disk can be refused for.
// Where an agent has the account, the wallet is the agent's.
func (r *run) openWallet(cmd *cobra.Command, o *payerOptions) (*wallet.Wallet, error) {
	return r.openPaying(cmd, o, false, true)
}

// openOffline is openWallet for a wallet that plans without the chain, if that is asked for.
func (r *run) openOffline(cmd *cobra.Command, o *payerOptions, offline bool) (*wallet.Wallet, error) {
	return r.openPaying(cmd, o, offline, true)
}

// openKeyed is openWallet for the agent itself.
func (r *run) openKeyed(cmd *cobra.Command, o *payerOptions) (*wallet.Wallet, error) {
	return r.openPaying(cmd, o, false, false)
}

func (r *run) openPaying(cmd *cobra.Command, o *payerOptions, offline, withAgent bool) (*wallet.Wallet, error) {
	limits, err := o.limits.limits(r.Env)
	if err != nil {
		return nil, err
	}
	named, err := o.limits.named()
	if err != nil {
		return nil, err
	}
	config, err := r.config(&o.network, &o.store)
	if err != nil {
		return nil, err
	}
	config.Limits, config.Accept, config.Offline = limits, named, offline
	if cmd.Flags().Changed("timeout") {
		config.RecipientTimeout = o.network.timeout
	}
	if err := o.store.checkBound(r.Env); err != nil {
		return nil, err
	}
	chainID := uint64(0)
	if withAgent {
		chainID = config.Network.ChainID
	}
	if config.Account, err = o.account.account(cmd.Context(), r.Env, chainID); err != nil {
		return nil, err
	}
	if config.Account.Agent() == nil {
		err = o.account.keys.available(r.Env)
	}
	var w *wallet.Wallet
	if err == nil {
		w, err = wallet.Open(cmd.Context(), config)
	}
	if err != nil {
		config.Account.Close()
		return nil, err
	}
	return w, nil
}
