package ticket

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/tickets"
)

func newTicketVerify(r *cli.Run) *cobra.Command {
	var sender string
	cmd := &cobra.Command{
		Use:   "verify [FILE|-]",
		Short: "Verify the signatures of tickets",
		Long: `Verify, offline, that the sender of a batch signed each of its tickets and its
credentials, and that no nonce occurs twice. The input, FILE or stdin, is any
output of pmctl ticket batch, or the Livepeer-Payment and Livepeer-Segment
headers. Verification uses all cores, and reads ndjson of any length.

Several documents are answered one by one, with the number and the line of each,
with --output json on a line of its own. A document that cannot be read does not
affect the others.

The exit code is 1 if anything is wrong, the highest one if several documents
fail. Not checked: whether the tickets match
the offer of the recipient, have expired, were delivered before, or were
redeemed.`,
		Example: `  pmctl ticket verify tickets.json
  pmctl ticket verify - --sender 0x… < headers.txt
  pmctl ticket verify batches.ndjson -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runVerify(cmd, r, cli.FileOrStdin(args), sender)
		},
	}
	cmd.Flags().StringVar(&sender, "sender", "", "require the signatures of `ADDRESS` (default: the sender that the batch names)")
	return cmd
}

func runVerify(cmd *cobra.Command, r *cli.Run, file, from string) error {
	var sender common.Address
	if from != "" {
		var err error
		if sender, err = cli.ParseAddress("--sender", from); err != nil {
			return err
		}
	}
	signed := false
	d := reading{kind: "pmctl.verification"}
	d.answer = func(ctx context.Context, document *format.Document, lines *format.TicketLines) (answer, error) {
		by := sender
		switch {
		case document.Batch == nil && document.Segment == nil:
			return nil, errNothingSigned
		case document.Batch == nil && from == "":
			return nil, cli.Usagef("the credentials do not name their sender: pass --sender ADDRESS, who must have signed them")
		case document.Batch != nil && document.Header.Tickets == 0:
			return nil, errNoTickets
		case from == "":
			by = document.Batch.Sender
		}
		signed = signed || document.Batch != nil
		switch {
		case lines != nil:
			cli.PrepareFor(cli.Several) // at least: they are not counted yet
		case document.Batch != nil:
			cli.PrepareFor(int64(len(document.Batch.SenderParams)))
		}
		found, err := tickets.Verify(ctx, document, lines, by)
		return &verification{Verification: found}, err
	}
	d.emit = func(found answer) error { return r.Emit(d.kind, found, found.write) }
	err := d.run(r, cmd, file)
	if signed && (err == nil || errors.Is(err, tickets.ErrSignature)) {
		r.Note("not checked, since only the recipient and the chain can tell: recipientRand, expiry, whether the tickets are used")
	}
	return err
}

var (
	// errNothingSigned is returned for a document that has no signature to check.
	errNothingSigned = errors.New("ticket params have no signature: there is nothing to verify")

	// errNoTickets is returned for a batch without tickets.
	errNoTickets = errors.New("there are no tickets to verify")
)

// verification is what pmctl ticket verify answers.
type verification struct {
	place
	*tickets.Verification
}

func (v *verification) err() error { return v.Err() }

func (v *verification) write(w *page.Page) {
	var fields []page.Field
	if v.Tickets > 0 {
		verdict := w.Green(fmt.Sprintf("all %d valid", v.Tickets))
		if len(v.Bad) > 0 {
			verdict = fmt.Sprintf("%d valid, %s", v.Valid, w.Red(fmt.Sprintf("%d bad", len(v.Bad))))
		}
		fields = append(fields, page.Field{"tickets", verdict})
	}
	switch v.Credentials {
	case tickets.CredentialsValid:
		fields = append(fields, page.Field{"credentials", w.Green(v.Credentials)})
	case tickets.CredentialsBad:
		fields = append(fields, page.Field{"credentials", w.Red(v.Credentials)})
	}
	fields = append(fields, page.Field{"sender", common.Address(v.Sender).Hex()}, page.Field{"url", format.PlainText(v.URL)})
	if w.Fields(fields); len(v.Bad) == 0 {
		return
	}
	w.Print("\n")
	rows := make([][]string, len(v.Bad))
	for i, bad := range v.Bad {
		rows[i] = []string{fmt.Sprint(bad.Nonce), common.Hash(bad.Hash).Hex(), bad.Reason}
	}
	w.Table([]page.Column{page.Number("nonce"), page.Text("ticket hash"), page.Prose("bad")}, rows)
}
