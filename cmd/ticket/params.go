package ticket

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
)

// NewParams is pmctl params.
func NewParams(r *cli.Run) *cobra.Command {
	return cli.Group("params", "Fetch and check ticket params",
		newParamsFetch(r),
		newParamsShow(r),
	)
}

func newParamsFetch(r *cli.Run) *cobra.Command {
	var o cli.PayerOptions
	var work cli.WorkOptions
	cmd := &cobra.Command{
		Use:   "fetch [RECIPIENT…]",
		Short: "Fetch ticket params",
		Long: `Ask recipients for ticket params and show each offer, checked against your
limits and, if a node is configured, against the chain. With --output json, the
output is the params themselves, one document per recipient, as input for pmctl
ticket batch.

RECIPIENT is a URL, https://host[:port] or host:port, or http:// for a recipient
without TLS; the default port is 8935. It can also be an address, 0x…, whose URL
is looked up in the service registry; params that pay another address are
refused. A recipient's certificate and answer do not prove its address: pass
--recipient ADDRESS with a URL. If an earlier payment to the URL went to another
address, the params are refused until you do.

A recipient of AI work has a price for each model, which is shown. Without
--capabilities the params are at its base price, for transcoding.`,
		Example: `  pmctl params fetch https://recipient.example
  pmctl params fetch https://recipient.example \
    --capabilities text-to-image/ByteDance/SDXL-Lightning
  pmctl params fetch https://recipient.example --recipient 0x… --output json |
    pmctl ticket batch --params - --count 10`,
		RunE: func(cmd *cobra.Command, args []string) error { return fetchParams(r, cmd, &o, &work, args) },
	}
	work.Register(cmd)
	o.Register(cmd)
	return cmd
}

func fetchParams(r *cli.Run, cmd *cobra.Command, o *cli.PayerOptions, work *cli.WorkOptions, args []string) error {
	works, err := work.Works()
	if err != nil {
		return err
	}
	asked := len(args) == 0
	if asked {
		if !r.Asks() {
			return cli.Usage(cli.WithHint(errors.New("no recipient to ask: pass its URL or address"), "usage: %s; see pmctl params fetch --help", dialect.UsageLine(cmd)))
		}
		u, err := cli.AskRecipient(cmd.Context(), r)
		if err != nil {
			return err
		}
		args = []string{u}
	}
	recipients, err := cli.ParseRecipients(args)
	if err != nil {
		return err
	}
	w, err := cli.OpenWallet(r, cmd, o)
	if err != nil {
		return err
	}
	defer w.Close()
	table := r.Output == cli.OutputTable
	offers, err := w.Offers(cmd.Context(), recipients, wallet.OfferOptions{Works: works, Judge: table})
	if err != nil {
		return err
	}
	errs, printed := make([]error, len(offers)), false
	for i, of := range offers {
		errs[i] = of.Err
		if of.Offer == nil {
			continue
		}
		if table && printed {
			fmt.Fprintln(r.Out)
		}
		printed = true
		switch {
		case of.Judged == nil:
		case table:
			out := cli.OutPage(r)
			cli.WriteParams(out, of.Judged)
			errs[i] = cmp.Or(out.Err(), of.Err)
		default:
			errs[i] = format.Write(r.Out, format.KindParams, of.Document)
		}
		if len(recipients) > 1 {
			errs[i] = cli.WithSource(of.Offer.URL.String(), errs[i])
		}
	}
	err = errors.Join(errs...)
	if err == nil && asked {
		cli.SameAgain(r, cmd, args, o.Account.Besides(w.Account.Address())...)
	}
	return err
}

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
	return cmd
}

func showParams(ctx context.Context, r *cli.Run, o *paramsShowOptions, file string) error {
	limits, err := o.limits.Limits(r.Env)
	if err != nil {
		return err
	}
	params, err := cli.ReadDocument(ctx, r, file, format.ReadParams)
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
