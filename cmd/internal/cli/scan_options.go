package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
)

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
