package cli

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
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
