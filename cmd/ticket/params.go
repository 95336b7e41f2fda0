package ticket

import (
	"context"
	"errors"
	"fmt"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
)

// NewParams is pmctl params.
func NewParams(r *cli.Run) *cobra.Command {
	return cli.Group("params", "Ask recipients for ticket params, and judge them",
		newParamsFetch(r),
		newParamsShow(r),
	)
}

func newParamsFetch(r *cli.Run) *cobra.Command {
	var o cli.PayerOptions
	var work cli.WorkOptions
	cmd := &cobra.Command{
		Use:   "fetch URL…",
		Short: "Fetch ticket params from recipients",
		Long: `Fetch asks each recipient for ticket params and shows what it offers, held
against your limits and, when there is a node to ask, against the chain. With
--output json it prints the params themselves, one document a recipient, for
pmctl ticket batch to read.

URL is https://host[:port], or http:// for a recipient without TLS; the port is
8935 when there is none. Recipients' certificates prove nothing, and nothing
that they answer is signed: say with --recipient who must be paid. When somebody
else was paid at URL before, its params are refused until you do.

A recipient that does AI work has a price for each model, which are shown.
Without --capabilities the params are at its base price, that of transcoding.`,
		Example: `  pmctl params fetch https://recipient.example
  pmctl params fetch https://recipient.example \
    --capabilities text-to-image/ByteDance/SDXL-Lightning
  pmctl params fetch https://recipient.example --recipient 0x… --output json |
    pmctl ticket batch --params - --count 10`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return fetchParams(r, cmd, &o, &work, args) },
	}
	work.Register(cmd)
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
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
			return cli.Usagef("say whom to ask: pmctl params fetch URL")
		}
		u, err := cli.AskURL(cmd.Context(), r)
		if err != nil {
			return err
		}
		args = []string{u}
	}
	urls, err := parseURLs(args)
	if err != nil {
		return err
	}
	w, err := cli.OpenWallet(r, cmd, o)
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := w.Account.Unlock(cmd.Context()); err != nil {
		return err
	}
	if r.Output == cli.OutputTable {
		defer w.LookUp(cmd.Context())()
	}
	done := r.Waiting("waiting for the answers of %s", cli.Plural(fmt.Sprint(len(urls)), "recipient"))
	offers, errs, err := w.Fetch(cmd.Context(), urls, works)
	done()
	if err != nil {
		return err
	}
	var facts *pm.Facts
	if r.Output == cli.OutputTable {
		facts = factsIfAny(cmd.Context(), r, w, offers)
	}
	printed := false
	for i, offer := range offers {
		if offer == nil {
			continue
		}
		if r.Output == cli.OutputTable && printed {
			fmt.Fprintln(r.Out)
		}
		printed = true
		if errs[i] = emitOffer(cmd.Context(), r, w, offer, facts); len(urls) > 1 {
			errs[i] = cli.WithSource(offer.URL.String(), errs[i])
		}
	}
	err = errors.Join(errs...)
	if err == nil && asked {
		cli.SameAgain(r, cmd, args, o.Account.Besides(w.Account.Address())...)
	}
	return err
}

// parseURLs reads recipients' URLs from the command line.
func parseURLs(args []string) ([]pay.URL, error) {
	urls := make([]pay.URL, len(args))
	for i, arg := range args {
		var err error
		if urls[i], err = pay.ParseURL(arg); err != nil {
			return nil, cli.Usage(err)
		}
	}
	return urls, nil
}

// factsIfAny asks the node, if there is one. The chain only helps to judge here, so
// that it is no error when nobody answers.
func factsIfAny(ctx context.Context, r *cli.Run, w *wallet.Wallet, offers []*pay.Offer) *pm.Facts {
	var about []pm.Counterparty
	for _, offer := range offers {
		if offer != nil {
			about = append(about, pm.CounterpartyOf(offer.Params))
		}
	}
	facts, err := w.NewestFacts(ctx, about...)
	if err != nil {
		r.Note("not checked against the chain: %v", err)
		return nil
	}
	return &facts
}

// emitOffer prints an offer. Who is paid is looked at before anything is printed,
// since what is printed is there to be used.
func emitOffer(ctx context.Context, r *cli.Run, w *wallet.Wallet, offer *pay.Offer, facts *pm.Facts) error {
	if err := w.Limits.Explain(w.Limits.CheckRecipient(offer.Params.Recipient)); err != nil {
		return err
	}
	if err := w.Pins().Check(ctx, offer.URL, offer.Params.Recipient); err != nil {
		return err
	}
	params, err := w.Document(offer)
	if err != nil {
		return fmt.Errorf("%w (%s): %w", pay.ErrMalformed, offer.URL, err)
	}
	if r.Output == cli.OutputJSON {
		return format.Write(r.Out, format.KindParams, params)
	}
	if err := cli.WriteParams(r.Out, params, offer.Params, check.Params(w.Limits, offer.Params, facts, 1)); err != nil {
		return err
	}
	if facts == nil {
		return w.Limits.CheckParams(offer.Params, 1)
	}
	return w.Limits.Check(offer.Params, *facts, 1)
}
