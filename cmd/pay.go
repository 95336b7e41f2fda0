package cmd

import (
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

func newPay(r *run) *cobra.Command {
	var o payerOptions
	var request requestOption
	var work workOptions
	var value string
	cmd := &cobra.Command{
		Use:   "pay URL --value AMOUNT",
		Short: "Pay a recipient",
		Long: `Pay makes as many tickets as are worth AMOUNT at least, delivers them to the
recipient, and keeps the fresh ticket params that it answers with for the next
payment. What the tickets are worth beyond AMOUNT stays as credit.

Whom the first payment to a URL pays is remembered. When somebody else is to be
paid there later, pay refuses (exit code 3) until --recipient names them.

The recipient credits the payment under its session. Tickets that were sent are
never made up for by others, whether they were refused or not answered: the
recipient has them, and may redeem those that win. A refusal ends the session
and has exit code 1, no answer of the recipient's has 8.

With --capabilities the tickets are at the price of that AI work, and a payment
for other work begins a session of its own.

With --request-id a payment can be run again until it is known what became of
it, and is never made twice. Once accepted, nothing is sent. While that is not
known the very same tickets are delivered again: a recipient that has them
refuses them, and pmctl ends with exit code 8 as before. What a recipient has
refused is not sent again.`,
		Example: `  pmctl pay https://recipient.example --value 3000gwei
  pmctl pay https://recipient.example --value 3000gwei --recipient 0x… \
    --output json
  pmctl pay https://recipient.example --value 3000gwei \
    --request-id invoice-17
  pmctl pay https://recipient.example --value 3000gwei \
    --capabilities text-to-image/ByteDance/SDXL-Lightning`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return r.pay(cmd, &o, &request, &work, args[0], value) },
	}
	cmd.Flags().StringVar(&value, "value", "", "`AMOUNT` to pay, with its unit: 3000gwei or 0.00001eth")
	_ = cmd.MarkFlagRequired("value")
	request.register(cmd, "the payment")
	work.register(cmd)
	o.register(cmd)
	o.limits.registerInactive(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

func (r *run) pay(cmd *cobra.Command, o *payerOptions, id *requestOption, work *workOptions, url, value string) error {
	u, err := pay.ParseURL(url)
	if err != nil {
		return &usageError{err}
	}
	amount, err := parseValue(value)
	if err != nil {
		return err
	}
	works, err := work.works()
	if err != nil {
		return err
	}
	request, err := id.request(cmd, append([]string{"pay", u.String(), amount.Decimal()}, workNames(works)...)...)
	if err != nil {
		return err
	}
	w, err := r.openWallet(cmd, o)
	if err != nil {
		return err
	}
	defer w.close()
	w.client.Works = works
	session := &pay.Session{
		Payer: w.payer(), Client: w.client, Kept: w.kept(), Pins: w.pins(), URL: u, Unlock: w.unlock,
		Request: request, Requests: w.store.Chain(w.network.ChainID),
	}
	done := r.waiting("paying at %s", u)
	payment, err := session.Pay(cmd.Context(), pay.Amount{Value: amount})
	done()
	if err != nil {
		return err
	}
	if payment.NextErr != nil {
		r.note("the payment was accepted; the next one begins with a new session: %v", payment.NextErr)
	}
	if before := payment.Before; before != nil {
		what := "the payment was accepted then, and is not made again"
		if before.State != store.Accepted {
			what = "the same payment was delivered again, and is accepted now"
		}
		r.note("request %s was begun at %s: %s", plainText(before.ID), before.At.Format(time.RFC3339), what)
	}
	result := newPaymentResult(payment, amount)
	return r.emitDone("the payment is accepted", "pmctl.payment", result, result.write)
}

// parseValue reads the amount of --value, which is more than nothing.
func parseValue(text string) (wei.Wei, error) {
	value, err := parseAmount("--value", text)
	if err == nil && value.IsZero() {
		err = usagef("--value: say more than 0, with its unit: 3000gwei or 0.00001eth")
	}
	return value, err
}

// paymentResult is what pmctl pay answers. Expected values are exact: a decimal number
// of wei, or a fraction n/d.
type paymentResult struct {
	URL        string         `json:"url"`
	Recipient  format.Address `json:"recipient"`
	Sender     format.Address `json:"sender"`
	Session    string         `json:"session"`
	Continued  bool           `json:"continued"`
	Value      wei.Wei        `json:"value"`
	Paid       string         `json:"paid"`
	Overpaid   string         `json:"overpaid"`
	TicketEV   string         `json:"ticket_ev"`
	FaceValue  string         `json:"face_value"`
	Tickets    uint32         `json:"tickets"`
	FirstNonce uint32         `json:"first_nonce"`
	LastNonce  uint32         `json:"last_nonce"`

	payment *pay.Payment
}

func newPaymentResult(p *pay.Payment, value wei.Wei) paymentResult {
	t := p.Tickets
	return paymentResult{
		URL:        p.Offer.Transcoder.String(),
		Recipient:  format.Address(t.Params.Recipient),
		Sender:     format.Address(t.Sender),
		Session:    p.Offer.Info.GetAuthToken().GetSessionId(),
		Continued:  p.Continued,
		Value:      value,
		Paid:       t.TotalEV.RatString(),
		Overpaid:   t.Overpays.RatString(),
		TicketEV:   t.TicketEV.RatString(),
		FaceValue:  t.Params.FaceValue.String(),
		Tickets:    t.Nonces.Count,
		FirstNonce: t.Nonces.First,
		LastNonce:  lastNonce(t),
		payment:    p,
	}
}

func (p paymentResult) write(w io.Writer) error {
	t := p.payment.Tickets
	session := "new"
	if p.Continued {
		session = "continued"
	}
	return writeFields(w, []field{
		{"paid", wei.Format(t.TotalEV)},
		{"to", t.Params.Recipient.Hex()},
		{"at", p.URL},
		{"asked for", p.Value.String()},
		{"overpaid", overpays(t) + ", which the recipient keeps as credit"},
		{"accepted", plural(fmt.Sprint(t.Count), "ticket") + " of " + wei.Format(t.TicketEV) + ", " + nonceRange(t)},
		{"session", plainText(p.Session) + ", " + session},
	})
}

func lastNonce(t *pay.Tickets) uint32 { return t.Nonces.First + t.Nonces.Count - 1 }

// nonceRange is tickets' nonces for a person: nonce 4, or nonces 4 to 7.
func nonceRange(t *pay.Tickets) string {
	if t.Nonces.Count == 1 {
		return fmt.Sprintf("nonce %d", t.Nonces.First)
	}
	return fmt.Sprintf("nonces %d to %d", t.Nonces.First, lastNonce(t))
}

// overpays is by how much tickets exceed the value that was asked for.
func overpays(t *pay.Tickets) string {
	if one := big.NewRat(1, 1); t.Overpays.Sign() > 0 && t.Overpays.Cmp(one) < 0 {
		return "less than 1 wei"
	}
	return wei.Format(t.Overpays)
}
