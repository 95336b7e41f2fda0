package ticket

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
)

type paramsShowOptions struct {
	limits  cli.LimitOptions
	network cli.NetworkOptions
	offline bool
}

func newParamsShow(r *cli.Run) *cobra.Command {
	var o paramsShowOptions
	cmd := &cobra.Command{
		Use:   "show FILE|-",
		Short: "Check ticket params against your limits",
		Long: `Decode the ticket params in FILE, or on stdin with "-", and check them against
your limits. If a node is configured, also check the chain: that the params are
for it and have not expired, that the recipient is active, and that the funds of
the sender suffice. Otherwise these checks are listed as not checked.`,
		Example: `  pmctl params show params.json
  pmctl params show params.json --offline
  pmctl params fetch https://recipient.example -o json |
    pmctl params show - --max-ticket-ev 100gwei`,
		RunE: func(cmd *cobra.Command, args []string) error { return showParams(cmd.Context(), r, &o, args[0]) },
	}
	cmd.Flags().BoolVar(&o.offline, "offline", false, "ask no node")
	o.limits.RegisterOffers(cmd)
	o.network.Register(cmd)
	dialect.Relate(cmd, dialect.Exclusive, "offline", "rpc-url")
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

func showParams(ctx context.Context, r *cli.Run, o *paramsShowOptions, file string) error {
	limits, err := o.limits.Limits(r.Env)
	if err != nil {
		return err
	}
	params, err := cli.ReadParams(ctx, r, file)
	if err != nil {
		return err
	}
	config := wallet.Config{Offline: o.offline}
	if !o.offline {
		config, err = cli.ReadingConfig(r, &o.network)
	}
	noNetwork := err
	if noNetwork != nil {
		if wallet.ClassOf(noNetwork) != wallet.ClassUnreachable {
			return noNetwork
		}
		config.Offline = true
	}
	config.Limits = limits
	judged, err := wallet.Judge(ctx, config, params)
	if err != nil {
		return err
	}
	if unchecked := cmp.Or(noNetwork, judged.Unchecked); unchecked != nil && r.Output == cli.OutputTable {
		r.Note("not checked on the chain: %v", unchecked)
	}
	err = r.Emit("pmctl.judgement", cli.NewJudgement(judged), func(w *page.Page) { cli.WriteParams(w, judged) })
	return cmp.Or(err, judged.Against)
}
