package recipient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
)

type recipientShowOptions struct {
	cli.PayerOptions
	registryOnly bool
}

func newRecipientShow(r *cli.Run) *cobra.Command {
	var o recipientShowOptions
	cmd := &cobra.Command{
		Use:   "show ADDRESS|URL",
		Short: "Show who a recipient is, and what it offers",
		Long: `Show looks a recipient up in the service registry, asks it for ticket params,
and says whether the two agree: whether the address that would be paid at the
URL has entered this URL. It measures how long the answer takes, and holds the
offer against your limits and the chain. Nothing is paid.

Asking takes a signature of your key over your own address. --registry-only asks
only the node, and opens no key; a URL is then looked for in the active pool.

Exit code 5 means that the registry and the recipient do not agree.`,
		Example: `  pmctl recipient show https://recipient.example
  pmctl recipient show 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --output json
  pmctl recipient show https://recipient.example --registry-only`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return showRecipient(r, cmd, &o, args[0]) },
	}
	cmd.Flags().BoolVar(&o.registryOnly, "registry-only", false, "show only what the chain says, and ask nobody else")
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

// recipientResult is what pmctl recipient show answers.
type recipientResult struct {
	recipientEntry
	*recipientOffer

	params *format.Params
	offer  *pay.Offer
}

// recipientOffer is what a recipient answered.
type recipientOffer struct {
	// URL is where it was asked, and Agrees whether the registry and the answer are
	// of one mind about who is there.
	URL    string `json:"url"`
	Agrees bool   `json:"agrees"`

	// PaidBefore is whom this sender paid at URL before; absent when nobody.
	PaidBefore *format.Address `json:"paid_before,omitempty"`

	// LatencyMS is how long the answer took, connection included, in milliseconds.
	LatencyMS int64 `json:"latency_ms"`

	// Price is in wei a pixel: a decimal number, or a fraction n/d.
	Price string        `json:"price"`
	Offer cli.Judgement `json:"offer"`

	findings []check.Finding
}

// errNotRegistered is returned when the registry has no entry for what was asked.
var errNotRegistered = errors.New("the service registry does not know it")

func showRecipient(r *cli.Run, cmd *cobra.Command, o *recipientShowOptions, arg string) error {
	var address common.Address
	var u pay.URL
	var err error
	if isAddress := strings.HasPrefix(arg, "0x"); isAddress {
		address, err = cli.ParseAddress("ADDRESS", arg)
	} else if u, err = pay.ParseURL(arg); err != nil {
		err = cli.Usage(err)
	}
	if err != nil {
		return err
	}
	if o.registryOnly {
		return showRegistered(cmd.Context(), r, &o.Network, address, u)
	}
	w, err := cli.OpenWallet(r, cmd, &o.PayerOptions)
	if err != nil {
		return err
	}
	defer w.Close()
	if u == (pay.URL{}) {
		return showAddress(cmd.Context(), r, w, address)
	}
	return showURL(cmd.Context(), r, w, u)
}

// showRegistered shows what the chain says of an address, or of u unless it is zero.
func showRegistered(ctx context.Context, r *cli.Run, network *cli.NetworkOptions, address common.Address, u pay.URL) error {
	ctx, cancel, err := network.Bound(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	client, err := network.Dial(ctx, r.Env)
	if err != nil {
		return err
	}
	defer client.Close()
	if u == (pay.URL{}) {
		found, err := client.Recipient(ctx, address)
		if err != nil {
			return err
		}
		return emitRecipient(r, &recipientResult{recipientEntry: newRecipientEntry(found)})
	}
	done := r.Waiting("reading the active recipients")
	pool, err := client.Recipients(ctx)
	done()
	if err != nil {
		return err
	}
	for _, recipient := range pool {
		if cli.IsRegisteredAt(recipient, u) {
			return emitRecipient(r, &recipientResult{recipientEntry: newRecipientEntry(recipient)})
		}
	}
	return fmt.Errorf("%w: no active recipient has entered %s", errNotRegistered, u)
}

// showAddress asks a recipient where the registry says that it is.
func showAddress(ctx context.Context, r *cli.Run, w *wallet.Wallet, address common.Address) error {
	registered, err := w.Recipient(ctx, address)
	if err != nil {
		return err
	}
	if registered.ServiceURI == "" {
		return cli.WithHint(fmt.Errorf("%w: %v has entered no URL", errNotRegistered, address), "if you know its URL: pmctl recipient show URL")
	}
	u, err := pay.ParseServiceURI(registered.ServiceURI)
	if err != nil {
		return fmt.Errorf("the service registry's entry of %v: %w", address, err)
	}
	done := r.Waiting("waiting for the answer of %s", u)
	offer, latency, err := w.Ask(ctx, u)
	done()
	if err != nil {
		return err
	}
	return judgeRecipient(ctx, r, w, registered, offer, latency, offer.Params.Recipient == address)
}

// showURL asks a recipient, and the registry for the one whom it wants to be paid.
func showURL(ctx context.Context, r *cli.Run, w *wallet.Wallet, u pay.URL) error {
	done := r.Waiting("waiting for the answer of %s", u)
	offer, latency, err := w.Ask(ctx, u)
	done()
	if err != nil {
		return err
	}
	registered, err := w.Recipient(ctx, offer.Params.Recipient)
	if err != nil {
		return err
	}
	return judgeRecipient(ctx, r, w, registered, offer, latency, cli.IsRegisteredAt(registered, u))
}

// judgeRecipient shows a recipient with its offer, and fails for what speaks against
// paying it.
func judgeRecipient(ctx context.Context, r *cli.Run, w *wallet.Wallet, registered chain.Recipient, offer *pay.Offer, latency time.Duration, agrees bool) error {
	facts, err := w.NewestFacts(ctx, pm.CounterpartyOf(offer.Params))
	if err != nil {
		return err
	}
	params, err := w.Document(offer)
	if err != nil {
		return fmt.Errorf("%w (%s): %w", pay.ErrMalformed, offer.URL, err)
	}
	pins := w.Pins()
	before, err := pins.Known.Recipient(ctx, pins.Sender, offer.URL.String())
	if err != nil {
		return err
	}
	findings := check.Params(w.Limits, offer.Params, &facts, 1)
	answered := &recipientOffer{
		URL:       offer.URL.String(),
		Agrees:    agrees,
		LatencyMS: latency.Milliseconds(),
		Price:     offer.Params.PricePerPixel.RatString(),
		Offer:     cli.NewJudgement(params, offer.Params, findings),
		findings:  findings,
	}
	if before != (common.Address{}) {
		answered.PaidBefore = (*format.Address)(&before)
	}
	if err := emitRecipient(r, &recipientResult{newRecipientEntry(registered), answered, params, offer}); err != nil {
		return err
	}
	if !agrees {
		return cli.Disagreement(offer.URL, offer.Params.Recipient, registered)
	}
	if err := pins.Check(ctx, offer.URL, offer.Params.Recipient); err != nil {
		return err
	}
	return w.Limits.Check(offer.Params, facts, 1)
}

func emitRecipient(r *cli.Run, result *recipientResult) error {
	return r.Emit("pmctl.recipient", result, result.write)
}

func (p *recipientResult) write(w io.Writer) error {
	active := "no: it takes no payments, and no reserve pays it"
	if p.Active {
		active = "yes"
	}
	fields := []cli.Field{
		{"recipient", common.Address(p.Address).Hex()},
		{"registry", cli.ServiceURI(p.ServiceURI)},
	}
	if p.AIServiceURI != "" && p.AIServiceURI != p.ServiceURI {
		fields = append(fields, cli.Field{"for AI work", cli.ServiceURI(p.AIServiceURI)})
	}
	fields = append(fields, cli.Field{"active", active})
	if p.recipientOffer == nil {
		return cli.WriteFields(w, fields)
	}
	agrees := "yes"
	if !p.Agrees {
		agrees = "NO"
	}
	before := "nobody"
	if p.PaidBefore != nil {
		before = common.Address(*p.PaidBefore).Hex()
	}
	fields = append(fields,
		cli.Field{"asked at", p.URL},
		cli.Field{"agrees", agrees},
		cli.Field{"paid before", before},
		cli.Field{"latency", fmt.Sprintf("%d ms", p.LatencyMS)},
	)
	if err := cli.WriteFields(w, fields); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return cli.WriteParams(w, p.params, p.offer.Params, p.findings)
}
