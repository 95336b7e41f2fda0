package recipient

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
)

type recipientShowOptions struct {
	cli.PayerOptions
	registryOnly bool
}

func newRecipientShow(r *cli.Run) *cobra.Command {
	var o recipientShowOptions
	cmd := &cobra.Command{
		Use:   "show RECIPIENT",
		Short: "Show a recipient and its offer",
		Long: `Look up a recipient in the service registry, ask it for ticket params, and check
that both agree: that the address which would be paid has registered this URL.
Also shown are the response time, and the offer, checked against your limits and
the chain. Nothing is paid. RECIPIENT is a URL or an address.

The request for ticket params is signed with your key. With --registry-only only
the node is asked and no key is opened; a URL is then looked up among the active
recipients.

Exit code 5 means that the registry and the recipient disagree.`,
		Example: `  pmctl recipient show https://recipient.example
  pmctl recipient show 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --output json
  pmctl recipient show https://recipient.example --registry-only`,
		RunE: func(cmd *cobra.Command, args []string) error { return showRecipient(r, cmd, &o, args[0]) },
	}
	cmd.Flags().BoolVar(&o.registryOnly, "registry-only", false, "ask only the node, not the recipient")
	o.Register(cmd)
	return cmd
}

// recipientResult is what pmctl recipient show answers.
type recipientResult struct {
	recipientEntry
	*recipientOffer

	judged *wallet.Judged
}

// recipientOffer is what a recipient answered.
type recipientOffer struct {
	// URL is where it was asked, and Agrees whether the registry and the answer are
	// of one mind about who is there.
	URL    string `json:"url"`
	Agrees bool   `json:"agrees"`

	// PaidBefore is the address that this sender paid at URL before; absent if there is none.
	PaidBefore *format.Address `json:"pinned_recipient,omitempty"`

	// LatencyMS is how long the answer took, connection included, in milliseconds.
	LatencyMS int64 `json:"latency_ms"`

	Price *format.Price `json:"price"`
	Offer cli.Judgement `json:"offer"`
}

func showRecipient(r *cli.Run, cmd *cobra.Command, o *recipientShowOptions, arg string) error {
	of, err := cli.ParseRecipient(arg)
	if err != nil {
		return err
	}
	if o.registryOnly {
		config, err := cli.ReadingConfig(r, &o.Network)
		if err != nil {
			return err
		}
		found, err := wallet.Registered(cmd.Context(), config, of)
		if err != nil {
			return err
		}
		return emitRecipient(r, &recipientResult{recipientEntry: newRecipientEntry(found)})
	}
	w, err := cli.OpenWallet(r, cmd, &o.PayerOptions)
	if err != nil {
		return err
	}
	defer w.Close()
	found, err := w.Inspect(cmd.Context(), of)
	if err != nil {
		return err
	}
	answered := &recipientOffer{
		URL:       found.Offer.URL.String(),
		Agrees:    found.Agrees,
		LatencyMS: found.Took.Milliseconds(),
		Price:     found.Judged.Document.Price,
		Offer:     cli.NewJudgement(found.Judged),
	}
	if found.PaidBefore != (common.Address{}) {
		answered.PaidBefore = (*format.Address)(&found.PaidBefore)
	}
	if err := emitRecipient(r, &recipientResult{newRecipientEntry(found.Registered), answered, found.Judged}); err != nil {
		return err
	}
	return found.Err
}

func emitRecipient(r *cli.Run, result *recipientResult) error {
	return r.Emit("pmctl.recipient", result, result.write)
}

func (p *recipientResult) write(w *page.Page) {
	active := w.Red("no") + ": it takes no payments, and no reserve pays it"
	if p.Active {
		active = w.Green("yes")
	}
	fields := []page.Field{
		{"recipient", common.Address(p.Address).Hex()},
		{"registry", check.EntryText(p.recipientEntry.URL)},
		{"for AI work", page.If(p.AIURL != "" && p.AIURL != p.recipientEntry.URL, check.EntryText(p.AIURL))},
		{"active", active},
	}
	if p.recipientOffer == nil {
		w.Fields(fields)
		return
	}
	agrees := w.Green("yes") + ", the registry and the recipient name the same address and URL"
	if !p.Agrees {
		agrees = w.Red("no") + ": the registry and the recipient disagree"
	}
	before := "no"
	if p.PaidBefore != nil && *p.PaidBefore == p.Address {
		before = "yes"
	} else if p.PaidBefore != nil {
		before = w.Yellow("another address") + ": " + common.Address(*p.PaidBefore).Hex()
	}
	url := page.Field{"url", p.recipientOffer.URL}
	if p.recipientOffer.URL != p.recipientEntry.URL {
		fields = append(fields, url)
	}
	fields = append(fields,
		page.Field{"agrees", agrees},
		page.Field{"paid before", before},
		page.Field{"latency", fmt.Sprintf("%d ms", p.LatencyMS)},
	)
	w.Fields(fields)
	w.Print("\n")
	cli.WriteParams(w, p.judged, append(fields, url)...)
}
