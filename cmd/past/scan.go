package past

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
)

// scanOptions are what every command takes that looks back.
type scanOptions struct {
	cli.ReaderOptions
	since   string
	noCache bool
}

func (o *scanOptions) register(cmd *cobra.Command) {
	o.Register(cmd)
	cmd.Flags().BoolVar(&o.noCache, "no-cache", false, "neither read nor write the cache: scan the chain again")
}

// open returns what looks at the account, and how far back.
func (o *scanOptions) open(ctx context.Context, r *cli.Run) (*wallet.Reader, wallet.HistoryOptions, error) {
	now := r.Now()
	since, err := cli.ParseMoment("--since", o.since, now)
	if err == nil && since.After(now) {
		err = cli.Usagef("--since %s: that is in the future", o.since)
	}
	if err != nil {
		return nil, wallet.HistoryOptions{}, err
	}
	reader, err := o.Open(ctx, r, nil)
	return reader, wallet.HistoryOptions{Since: since, NoCache: o.noCache}, err
}
