package cli

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/policy"
)

// PayerOptions are what every command takes that makes tickets, or asks for params to
// make them from.
type PayerOptions struct {
	WalletOptions

	// Offline plans without the chain, and KeyHere goes without the agent.
	Offline, KeyHere bool

	// Noted gets the notes of a command whose stderr is a log; nil shows them.
	Noted func(text string)
}

// Register adds the flags to a command.
func (o *PayerOptions) Register(cmd *cobra.Command) {
	o.RegisterReading(cmd)
	o.Network.RegisterContracts(cmd)
}

// RegisterReading is Register for a command that signs nothing.
func (o *PayerOptions) RegisterReading(cmd *cobra.Command) {
	o.Limits.RegisterOffers(cmd)
	o.Limits.register(cmd, policy.MaxHeadAge)
	o.Account.Register(cmd)
	o.Network.Register(cmd)
	o.Store.Register(cmd)
}

// OpenWallet looks at everything that the command line and the disk can be refused for.
// Where an agent has the account, the wallet is the agent's.
func OpenWallet(r *Run, cmd *cobra.Command, o *PayerOptions) (*wallet.Wallet, error) {
	r, err := withSettings(r)
	if err != nil {
		return nil, err
	}
	config, err := LimitedConfig(r, &o.WalletOptions)
	if err != nil {
		return nil, err
	}
	if config.Accept, err = o.Limits.Named(); err != nil {
		return nil, err
	}
	config.Offline = o.Offline
	if o.Noted != nil {
		config.UI = logging{config.UI, o.Noted}
	}
	if cmd.Flags().Changed("timeout") {
		config.RecipientTimeout = o.Network.Timeout
	}
	if err := o.Store.CheckBound(r.Env); err != nil {
		return nil, err
	}
	chainID := uint64(0)
	if !o.KeyHere {
		chainID = config.Network.ChainID
	}
	if config.Account, err = o.Account.Account(cmd.Context(), r.Env, chainID); err != nil {
		return nil, err
	}
	if agent.Of(config.Account) == nil {
		err = o.Account.Keys.Available(r.Env)
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
