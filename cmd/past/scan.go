package past

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
)

// scanOptions are what every command takes that looks back.
type scanOptions struct {
	network cli.NetworkOptions
	account cli.AccountOptions
	store   cli.StoreOptions
	since   string
	noCache bool
}

func (o *scanOptions) register(cmd *cobra.Command) {
	o.network.Register(cmd)
	cmd.Flags().StringVar(&o.account.From, "from", "", "`ADDRESS` to show (default $ETH_FROM, else the only account there is)")
	o.account.Keys.RegisterAddress(cmd)
	o.store.Register(cmd)
	cmd.Flags().BoolVar(&o.noCache, "no-cache", false, "read everything from the chain, and keep nothing of it")
}

// open returns what looks at the account, and how far back.
func (o *scanOptions) open(ctx context.Context, r *cli.Run) (*wallet.Reader, wallet.Past, error) {
	now := r.Now()
	since, err := cli.ParseMoment("--since", o.since, now)
	past := wallet.Past{Since: since, NoCache: o.noCache}
	if err != nil {
		return nil, past, err
	}
	if since.After(now) {
		return nil, past, cli.Usagef("--since %s: that is in the future", o.since)
	}
	sender, err := cli.StatusAddress(ctx, r.Env, &o.account, nil)
	if err != nil {
		return nil, past, err
	}
	reader, err := openReader(ctx, r, &o.network, &o.store, sender)
	return reader, past, err
}

func openReader(ctx context.Context, r *cli.Run, network *cli.NetworkOptions, store *cli.StoreOptions, account common.Address) (*wallet.Reader, error) {
	config, err := cli.WalletConfig(r, network, store)
	if err != nil {
		return nil, err
	}
	return wallet.OpenReader(ctx, config, account)
}
