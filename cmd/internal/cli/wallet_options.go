package cli

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/policy"
)

// WalletOptions choose a wallet: its network and node, account, limits and store. A command
// registers the flags of what it uses.
type WalletOptions struct {
	Network NetworkOptions
	Account AccountOptions
	Limits  LimitOptions
	Store   StoreOptions
}

// RegisterLooking adds the flags of a command that looks at an account, whose key is not needed.
func (o *WalletOptions) RegisterLooking(cmd *cobra.Command) {
	o.Network.Register(cmd)
	o.registerOwner(cmd)
}

// RegisterJournal is RegisterLooking for a command that asks no node.
func (o *WalletOptions) RegisterJournal(cmd *cobra.Command) {
	o.Network.RegisterNetwork(cmd)
	o.registerOwner(cmd)
}

func (o *WalletOptions) registerOwner(cmd *cobra.Command) {
	o.Account.RegisterFrom(cmd, "`ADDRESS` of the account (default $ETH_FROM, else the only one)")
	o.Account.Keys.Keystore.Register(cmd)
	o.Account.Keys.registerFD(cmd)
	o.Store.Register(cmd)
}

// RegisterSending adds the flags of a command that sends transactions.
func (o *WalletOptions) RegisterSending(cmd *cobra.Command) {
	o.Network.Register(cmd)
	o.Network.RegisterContracts(cmd)
	o.Account.Register(cmd)
	o.Limits.RegisterFees(cmd)
	o.Store.Register(cmd)
}

// OpenReader returns what looks at the address on the command line, or at the user's account.
func (o *WalletOptions) OpenReader(ctx context.Context, r *Run, args []string) (_ *wallet.Reader, err error) {
	var address common.Address
	if len(args) == 1 {
		address, err = ParseAddress("ADDRESS", args[0])
	} else {
		address, err = o.Account.Address(ctx, r.Env)
	}
	if err != nil {
		return nil, err
	}
	config, err := WalletConfig(r, o)
	if err != nil {
		return nil, err
	}
	return wallet.OpenReader(ctx, config, address)
}

// ScanOptions are the options of the commands that look back.
type ScanOptions struct {
	WalletOptions

	// Since is the text of a time, for which each command has a flag of its own.
	Since   string
	noCache bool
}

// Register adds the flags.
func (o *ScanOptions) Register(cmd *cobra.Command) {
	o.RegisterLooking(cmd)
	cmd.Flags().BoolVar(&o.noCache, "no-cache", false, "neither read nor write the cache: scan the chain again")
}

// Open returns what looks at the account, and how far back.
func (o *ScanOptions) Open(ctx context.Context, r *Run) (*wallet.Reader, wallet.HistoryOptions, error) {
	now := r.Now()
	since, err := ParseMoment("--since", o.Since, now)
	if err == nil && since.After(now) {
		err = Usagef("--since %s: that is in the future", o.Since)
	}
	if err != nil {
		return nil, wallet.HistoryOptions{}, err
	}
	reader, err := o.OpenReader(ctx, r, nil)
	return reader, wallet.HistoryOptions{Since: since, NoCache: o.noCache}, err
}

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
