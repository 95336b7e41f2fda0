package ticket

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
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
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
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
	tickets := false
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
		tickets = tickets || document.Batch != nil
		return verify(ctx, document, lines, by)
	}
	d.emit = func(found answer) error { return r.Emit(d.kind, found, found.write) }
	err := d.run(r, cmd, file)
	if tickets && (err == nil || errors.Is(err, errBadTickets)) {
		r.Note("not checked, since only the recipient and the chain can tell: recipientRand, expiry, whether the tickets are used")
	}
	return err
}

var (
	// errNothingSigned is returned for a document that has no signature to check.
	errNothingSigned = errors.New("ticket params have no signature: there is nothing to verify")

	// errNoTickets is returned for a batch without tickets.
	errNoTickets = errors.New("there are no tickets to verify")

	// errBadTickets is returned for tickets or credentials that their sender did not
	// sign as they are.
	errBadTickets = errors.New("invalid signatures")
)

// verification is what pmctl ticket verify answers.
type verification struct {
	place
	// URL is that of the recipient; "" if the document does not name it.
	URL string `json:"url,omitempty"`
	// Sender is who must have signed.
	Sender  format.Address `json:"sender"`
	Tickets int            `json:"tickets"`
	Valid   int            `json:"valid"`
	// Bad are the other tickets.
	Bad []badTicket `json:"bad"`
	// Credentials are valid or bad; absent when there are none.
	Credentials string `json:"credentials,omitempty"`
	// NotChecked names what cannot be checked offline.
	NotChecked []string `json:"not_checked"`
}

type badTicket struct {
	Nonce uint32      `json:"nonce"`
	Hash  format.Hash `json:"ticket_hash"`
	// Reason is what is wrong with it, in words.
	Reason string `json:"reason"`
}

const (
	credentialsValid = "valid"
	credentialsBad   = "bad"
)

// verify checks every signature of a document, and of the lines that follow it, against
// sender. It fails when ctx ends, and for lines that are none.
func verify(ctx context.Context, document *format.Document, lines *format.TicketLines, sender common.Address) (*verification, error) {
	v := &verification{
		Sender:     format.Address(sender),
		Bad:        []badTicket{},
		NotChecked: []string{"recipient_rand", "expiration", "used"},
	}
	if document.Header != nil {
		v.URL = document.Header.URL
	}
	if document.Batch != nil {
		if err := v.tickets(ctx, document.Batch, lines, sender); err != nil {
			return nil, err
		}
	}
	if segment := document.Segment; segment != nil {
		v.Credentials = credentialsBad
		if new(pm.DefaultSigVerifier).Verify(sender, wire.SegmentMessage(segment), segment.GetSig()) {
			v.Credentials = credentialsValid
		}
	}
	return v, nil
}

// ticketFault says why a ticket is not one that sender signed, "" when it is.
func ticketFault(ticket *pm.Ticket, sig []byte, sender common.Address) string {
	hash := ticket.Hash().Bytes()
	if ticket.Sender == sender && new(pm.DefaultSigVerifier).Verify(sender, hash, sig) {
		return ""
	}
	if ticket.Sender != sender {
		return fmt.Sprintf("its sender is %v", ticket.Sender)
	}
	if signer, ok := signerOf(hash, sig); ok && signer != sender {
		// A ticket that was changed after it was signed gives an arbitrary address.
		return fmt.Sprintf("signed by %v, or changed since it was signed", signer)
	}
	return "recipients reject this signature"
}

// signerOf is whose personal-message signature sig can be.
func signerOf(message, sig []byte) (common.Address, bool) {
	if len(sig) != crypto.SignatureLength || sig[crypto.RecoveryIDOffset] < 27 {
		return common.Address{}, false
	}
	recoverable := append([]byte(nil), sig...)
	recoverable[crypto.RecoveryIDOffset] -= 27
	key, err := crypto.SigToPub(accounts.TextHash(message), recoverable)
	if err != nil {
		return common.Address{}, false
	}
	return crypto.PubkeyToAddress(*key), true
}

// err is nil when everything is signed as it should be.
func (v *verification) err() error {
	switch {
	case len(v.Bad) > 0:
		return fmt.Errorf("%w: %d of %s", errBadTickets, len(v.Bad), words.Count(v.Tickets, "ticket"))
	case v.Credentials == credentialsBad:
		return fmt.Errorf("%w: the credentials are not signed by %v", errBadTickets, common.Address(v.Sender))
	}
	return nil
}

func (v *verification) write(w *page.Page) error {
	var fields []page.Field
	if v.Tickets > 0 {
		verdict := w.Green(fmt.Sprintf("all %d valid", v.Tickets))
		if len(v.Bad) > 0 {
			verdict = fmt.Sprintf("%d valid, %s", v.Valid, w.Red(fmt.Sprintf("%d bad", len(v.Bad))))
		}
		fields = append(fields, page.Field{"tickets", verdict})
	}
	switch v.Credentials {
	case credentialsValid:
		fields = append(fields, page.Field{"credentials", w.Green(v.Credentials)})
	case credentialsBad:
		fields = append(fields, page.Field{"credentials", w.Red(v.Credentials)})
	}
	fields = append(fields, page.Field{"sender", common.Address(v.Sender).Hex()})
	if v.URL != "" {
		fields = append(fields, page.Field{"url", format.PlainText(v.URL)})
	}
	if err := w.Fields(fields); err != nil || len(v.Bad) == 0 {
		return err
	}
	if err := w.Print("\n"); err != nil {
		return err
	}
	rows := make([][]string, len(v.Bad))
	for i, bad := range v.Bad {
		rows[i] = []string{fmt.Sprint(bad.Nonce), common.Hash(bad.Hash).Hex(), bad.Reason}
	}
	return w.Table([]page.Column{page.Number("nonce"), page.Text("ticket hash"), page.Prose("bad")}, rows)
}
