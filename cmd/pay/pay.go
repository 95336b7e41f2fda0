// Package pay has the command that pays a recipient.
package pay

import (
	"fmt"
	"math/big"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

type payOptions struct {
	cli.PayerOptions
	request    cli.RequestOption
	work       cli.WorkOptions
	header     cli.HeaderOption
	value      cli.ValueOptions
	recipients string
}

// NewPay is pmctl pay.
func NewPay(r *cli.Run) *cobra.Command {
	var o payOptions
	cmd := &cobra.Command{
		Use:   "pay [RECIPIENT] --value AMOUNT",
		Short: "Pay an orchestrator",
		Long: `Create tickets with an expected value of at least AMOUNT, and deliver them to
the recipient (an orchestrator). Its answer has fresh ticket params, which pmctl
keeps for the next payment. What the tickets are worth beyond AMOUNT stays with
the recipient as credit, which the next payment of the session uses within five
minutes. Each payment has at least one ticket, which shows that the recipient
still has the session.

RECIPIENT is a URL, https://host[:port] or host:port, or an address, 0x…, whose
URL is looked up in the service registry; then no other address is paid. The
first payment to a URL pins the address behind it: another address is refused
(exit code 3) until you pass --recipient.

A payment is an HTTP header. If it is larger than the recipient or a proxy
accepts, or needs more tickets than one set of ticket params allows, pmctl
delivers it in parts. Limits apply to the sum of the parts, before anything is
signed. pmctl remembers the size that was accepted.

Tickets that were delivered are never replaced, even if the recipient refused
them or did not answer: it has them, and can redeem the winners. After a refusal
(exit code 1) the session ends. If the recipient did not answer, the exit code
is 8.

With --capabilities the payment is at the price of that AI work. Other work has
a session of its own.

With --request-id you can repeat a payment until its outcome is known; it is
never made twice. After it was accepted, nothing is sent. While the outcome is
unknown, the same tickets are delivered again; a recipient that already has them
refuses them, and the exit code stays 8. Refused tickets are not sent again. Of
a payment in parts, the missing parts are paid. A payment in parts without an ID
gets one, which the error shows if it fails.

With --recipients each line of FILE is a recipient, followed by its amount after
a space unless that is --value; lines that begin with # are skipped. --request-id
is required: each line is a request of its own, ID:LINE, so that you can run the
same file again and nothing is paid twice. All lines are read, and their total
is checked against --max-total-ev, before the first is paid. Since each payment
has at least one ticket, the tickets can be worth more: a line with which they
would exceed --max-total-ev is refused, too. Each line gives one line of output;
the exit code is that of the first failure.`,
		Example: `  pmctl pay https://recipient.example --value 3000gwei
  pmctl pay 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --value 3000gwei \
    --output json
  pmctl pay https://recipient.example --value 3000gwei \
    --request-id invoice-17
  pmctl pay https://recipient.example --value 3000gwei \
    --capabilities text-to-image/ByteDance/SDXL-Lightning
  pmctl pay --recipients june.txt --value 3000gwei --request-id june \
    --max-total-ev 0.001eth`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.recipients == "" && len(args) == 0:
				return cli.WithHint(cli.Usagef("no recipient to pay: pass its URL or address, or --recipients FILE"), "usage: %s; see pmctl pay --help", dialect.UsageLine(cmd))
			case o.recipients == "" && o.value.Value == "":
				return cli.WithHint(cli.Usagef("no amount to pay: pass --value AMOUNT, such as 3000gwei"), "usage: %s; see pmctl pay --help", dialect.UsageLine(cmd))
			case o.recipients == "":
				return runPay(r, cmd, &o, args[0])
			case len(args) > 0:
				return cli.Usagef("pass a recipient or --recipients FILE, not both")
			}
			return payAll(r, cmd, &o)
		},
	}
	o.value.Register(cmd, "pay at least `AMOUNT`: 3000gwei or 0.00001eth")
	cmd.Flags().StringVar(&o.recipients, "recipients", "", "pay each line of `FILE`, or of stdin with -: a recipient, and its amount unless that is --value")
	o.request.Register(cmd, "the payment")
	o.work.Register(cmd)
	o.header.Register(cmd)
	o.Register(cmd)
	o.Limits.RegisterInactive(cmd)
	return cmd
}

// options are the wallet's.
func (o *payOptions) options(r *cli.Run, cmd *cobra.Command) (wallet.PayOptions, error) {
	options := wallet.PayOptions{RequestID: o.request.ID, Unattended: o.Account.Keys.Unattended(r.Env)}
	var err error
	if options.Works, err = o.work.Works(); err != nil {
		return options, err
	}
	if err := o.request.Check(cmd); err != nil {
		return options, err
	}
	options.Headers, err = o.header.Limits(r.Env)
	return options, err
}

func runPay(r *cli.Run, cmd *cobra.Command, o *payOptions, recipient string) error {
	to, err := cli.ParseRecipient(recipient)
	if err != nil {
		return err
	}
	amount, err := o.value.Amount()
	if err != nil {
		return err
	}
	options, err := o.options(r, cmd)
	if err != nil {
		return err
	}
	w, err := cli.OpenWallet(r, cmd, &o.PayerOptions)
	if err != nil {
		return err
	}
	defer w.Close()
	payment, err := w.Pay(cmd.Context(), to, amount, options)
	if err != nil {
		return err
	}
	result := newPaymentResult(payment, amount.Value)
	for _, warning := range result.Warnings {
		r.Note("%s", warning.Message)
	}
	return r.EmitDone("the payment is accepted", "pmctl.payment", result, result.write)
}

// paymentResult is what pmctl pay answers. Of a payment in parts, TotalEV, the overpaid EV and
// Tickets are of all of it, and what is a ticket's or a range of nonces is the first part's.
type paymentResult struct {
	URL       string         `json:"url"`
	Recipient format.Address `json:"recipient"`
	Sender    format.Address `json:"sender"`
	SessionID string         `json:"session_id"`
	Continued bool           `json:"continued"`
	Value     wei.Wei        `json:"value"`
	format.TotalEV
	CreditUsed    *wei.Wei        `json:"credit_used,omitempty"`
	OverpaidWei   format.Ceil     `json:"overpaid_wei"`
	OverpaidExact format.Fraction `json:"overpaid_exact"`
	ticketsResult
	Parts    []paymentPart    `json:"parts,omitempty"`
	Warnings []format.Warning `json:"warnings,omitempty"`

	payment *pay.Payment
	over    *big.Rat
}

// paymentPart is one delivery of several.
type paymentPart struct {
	RecipientRandHash format.Hash `json:"recipient_rand_hash"`
	format.TotalEV
	ticketsResult
}

// ticketsResult are tickets that are delivered together.
type ticketsResult struct {
	format.TicketEV
	FaceValue  string `json:"face_value"`
	Tickets    uint64 `json:"tickets"`
	FirstNonce uint32 `json:"first_nonce"`
	LastNonce  uint32 `json:"last_nonce"`
}

func newTicketsResult(t *pay.Tickets) ticketsResult {
	return ticketsResult{format.NewTicketEV(t.TicketEV), t.Params.FaceValue.String(), uint64(t.Nonces.Count), t.Nonces.First, t.Nonces.Last()}
}

// paymentWarnings are what a payment's numbers do not show.
func paymentWarnings(p *pay.Payment) (warnings []format.Warning) {
	if p.NextErr != nil {
		warnings = append(warnings, format.Warning{Code: "next_params", Message: fmt.Sprintf("the payment was accepted; the next one begins with a new session: %v", p.NextErr)})
	}
	before := p.Before
	if before == nil {
		return warnings
	}
	code, became := "accepted_before", "the payment was accepted then, and is not made again"
	switch {
	case p.Sent > 0 && len(p.Parts) > 1:
		code, became = "completed", "what was due of it is accepted now"
	case !p.AcceptedBefore():
		code, became = "delivered_again", "the same payment was delivered again, and is accepted now"
	}
	return append(warnings, format.Warning{Code: code, Message: fmt.Sprintf("request %s was begun at %s: %s", format.PlainText(before.ID), before.At.Format(time.RFC3339), became)})
}

func newPaymentResult(p *pay.Payment, value wei.Wei) paymentResult {
	t, total := p.Tickets, p.Total()
	result := paymentResult{
		URL:           p.Offer.Transcoder.String(),
		Recipient:     format.Address(t.Params.Recipient),
		Sender:        format.Address(t.Sender),
		SessionID:     p.Offer.Info.GetAuthToken().GetSessionId(),
		Continued:     p.Continued,
		Value:         value,
		TotalEV:       format.NewTotalEV(total.EV),
		ticketsResult: newTicketsResult(t),
		Warnings:      paymentWarnings(p),
		payment:       p,
		over:          new(big.Rat).Sub(total.EV, value.Rat()),
	}
	result.Tickets = total.Tickets
	if p.Credit != nil {
		used, err := wei.Ceil(p.Credit)
		if err == nil {
			result.CreditUsed = &used
		}
		result.over.Add(result.over, p.Credit)
	}
	result.OverpaidWei, result.OverpaidExact = format.NewCeil(result.over), format.Fraction{Rat: result.over}
	if len(p.Parts) == 1 {
		return result
	}
	for _, t := range p.Parts {
		result.Parts = append(result.Parts, paymentPart{format.Hash(t.Params.RecipientRandHash), format.NewTotalEV(t.TotalEV), newTicketsResult(t)})
	}
	return result
}

func (p paymentResult) write(w *page.Page) {
	t := p.payment.Tickets
	session, credit, taken := "new", "", accepted(t)
	if p.Continued {
		session = "continued"
	}
	if p.CreditUsed != nil {
		credit = p.CreditUsed.String() + ", left by the session's last payment"
	}
	var parts []page.Field
	if all := p.payment.Parts; len(all) > 1 {
		taken = fmt.Sprintf("%s in %d parts", words.Count(p.Tickets, "ticket"), len(all))
		for i, t := range all {
			parts = append(parts, page.Field{fmt.Sprintf("part %d", i+1), accepted(t)})
		}
	}
	w.Fields(append([]page.Field{
		{"paid", wei.Format(p.TotalEVExact.Rat)},
		{"to", t.Params.Recipient.Hex()},
		{"at", p.URL},
		{"asked for", p.Value.String()},
		{"credit", credit},
		{"overpaid", cli.Overpays(p.over) + ", which the recipient keeps as credit"},
		{"accepted", taken},
		{"session", format.PlainText(p.SessionID) + ", " + session},
	}, parts...))
}

// accepted is tickets that were delivered together, for a person.
func accepted(t *pay.Tickets) string {
	return words.Count(t.Nonces.Count, "ticket") + " of " + wei.Format(t.TicketEV) + ", " + cli.NonceRange(t)
}
