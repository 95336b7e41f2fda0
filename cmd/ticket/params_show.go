package ticket

import (
	"context"
	"errors"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
)

// paramsShowOptions are what pmctl params show takes.
type paramsShowOptions struct {
	limits  cli.LimitOptions
	network cli.NetworkOptions
	offline bool
}

func newParamsShow(r *cli.Run) *cobra.Command {
	var o paramsShowOptions
	cmd := &cobra.Command{
		Use:   "show FILE|-",
		Short: "Show ticket params and hold them against your limits",
		Long: `Show decodes ticket params that pmctl params fetch wrote to a file, or to stdin
as "-", and holds them against your limits. Where a node is configured it asks
the chain too: whether the params are of that chain and have not expired,
whether the recipient is active, and what the sender has. Where none is, or none
answers, these checks are listed as not checked.`,
		Example: `  pmctl params show params.json
  pmctl params show params.json --offline
  pmctl params fetch https://recipient.example -o json |
    pmctl params show - --max-ticket-ev 100gwei`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return showParams(cmd.Context(), r, &o, args[0]) },
	}
	cmd.Flags().BoolVar(&o.offline, "offline", false, "ask no node")
	o.limits.RegisterOffers(cmd)
	o.network.Register(cmd)
	cmd.MarkFlagsMutuallyExclusive("offline", "rpc-url")
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
	ticketParams, err := params.TicketParams()
	if err != nil {
		return err
	}
	facts, err := factsAbout(ctx, r, o, common.Address(params.Sender), ticketParams)
	if err != nil {
		return err
	}
	findings := check.Params(limits, ticketParams, facts, 1)
	if r.Output == cli.OutputJSON {
		err = format.Write(r.Out, "pmctl.judgement", cli.NewJudgement(params, ticketParams, findings))
	} else {
		err = cli.WriteParams(r.Out, params, ticketParams, findings)
	}
	if err != nil {
		return err
	}
	if facts == nil {
		return limits.CheckParams(ticketParams, 1)
	}
	return limits.Check(ticketParams, *facts, 1)
}

// factsAbout asks the node that is configured about a sender's params; nil where there is
// none, or none that answers. It fails for a network that is not known.
func factsAbout(whole context.Context, r *cli.Run, o *paramsShowOptions, sender common.Address, params *pm.TicketParams) (*pm.Facts, error) {
	if o.offline {
		return nil, nil
	}
	ctx, cancel, err := o.network.Bound(whole)
	if err != nil {
		return nil, err
	}
	defer cancel()
	network, urls, err := o.network.Choose(r.Env)
	if err != nil && !errors.Is(err, chain.ErrNoDevnet) {
		return nil, err
	}
	if err == nil && len(urls) == 0 {
		return nil, nil
	}
	var facts pm.Facts
	if err == nil {
		var client *chain.Client
		if client, err = o.network.DialNetwork(ctx, r.Env, network, urls); err == nil {
			defer client.Close()
			facts, err = client.Facts(ctx, sender, pm.CounterpartyOf(params))
		}
	}
	if whole.Err() != nil {
		return nil, context.Cause(whole)
	}
	if err != nil {
		if r.Output == cli.OutputTable {
			r.Note("not checked against the chain: %v", err)
		}
		return nil, nil
	}
	return &facts, nil
}
