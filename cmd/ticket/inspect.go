package ticket

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/tickets"
	"github.com/pmctl/pmctl/wallet/wei"
)

func newTicketInspect(r *cli.Run) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect [FILE|-]",
		Short: "Decode tickets, headers or ticket params",
		Long: `Decode what pmctl writes, and the headers that deliver a payment: a batch as
json, ndjson, payment or headers, ticket params, any Livepeer-Payment or
Livepeer-Segment header, as a line or as its value alone, and what a recipient
answers to a payment, as the HTTP body or in base64. The input is FILE or stdin,
and can have several documents: each is shown, with its number and line. No node
is asked, and no key is opened.

Inspect shows who signed the credentials. pmctl ticket verify checks the
signatures of the tickets.`,
		Example: `  pmctl ticket batch --params params.json --count 2 -o headers |
    pmctl ticket inspect
  pmctl ticket inspect tickets.ndjson -o json
  pmctl ticket batch --params params.json --count 2 -o headers |
    curl -k --fail-with-body -H @- -X POST URL/payment | pmctl ticket inspect`,
		RunE: func(cmd *cobra.Command, args []string) error {
			d := reading{kind: "pmctl.inspection", answer: func(_ context.Context, document *format.Document, lines *format.TicketLines) (answer, error) {
				found, err := tickets.Inspect(document, lines)
				return &inspection{Inspection: found, verbose: r.Verbose}, err
			}}
			d.emit = func(found answer) error { return cli.EmitList(r, d.kind, found, found.write) }
			return d.run(r, cmd, cli.FileOrStdin(args))
		},
	}
	return cmd
}

// inspection is what pmctl ticket inspect answers.
type inspection struct {
	place
	*tickets.Inspection
	verbose bool
}

// err implements answer: what can be decoded is as it should be.
func (i *inspection) err() error { return nil }

// write prints the parts for a person, one after the other.
func (i *inspection) write(w *page.Page) {
	fields := []page.Field{{"form", i.Form}}
	if i.Params != nil {
		fields = append(fields, cli.ParamsFields(i.Params, i.TicketParams)...)
	}
	if i.Batch != nil {
		fields = append(fields, batchFields(i.Batch)...)
	}
	if i.NextParams != nil {
		fields = append(fields, answerFields(i.NextParams, i.TicketParams)...)
	}
	if i.Credentials != nil {
		fields = append(fields, credentialsFields(i.Credentials)...)
	}
	w.Fields(fields)
	if i.Batch == nil {
		return
	}
	w.Print("\n")
	header := []page.Column{page.Number("nonce"), page.Text("ticket hash")}
	if i.verbose {
		header = append(header, page.Text("signature"))
	}
	rows := make([][]string, len(i.Batch.Signatures))
	for at, ticket := range i.Batch.Signatures {
		rows[at] = []string{fmt.Sprint(ticket.Nonce), common.Hash(ticket.Hash).Hex(), ticket.Sig.String()}[:len(header)]
	}
	w.Table(header, rows)
}

// batchFields is what the tickets of a batch share, for a person.
func batchFields(inspected *tickets.Batch) []page.Field {
	batch := inspected.Signed
	return []page.Field{
		{"recipient", batch.Recipient.Hex()},
		{"sender", batch.Sender.Hex()},
		{"tickets", fmt.Sprint(len(batch.SenderParams))},
		{"ticket EV", wei.Format(batch.EV())},
		{"total EV", wei.Format(inspected.TotalEVExact.Rat)},
		{"face value", wei.Format(new(big.Rat).SetInt(batch.FaceValue))},
		{"wins", cli.OneIn(batch.WinProbRat())},
		{"price", wei.Format(batch.PricePerPixel) + " per pixel"},
		{"rand hash", batch.RecipientRandHash.Hex()},
		{"round", fmt.Sprint(batch.CreationRound)},
		{"round's hash", batch.CreationRoundBlockHash.Hex()},
		{"expires at", fmt.Sprintf("L1 block %v", batch.ExpirationBlock)},
		{"url", format.PlainText(inspected.URL)},
	}
}

// answerFields is a recipient's answer to a payment, for a person.
func answerFields(answer *format.Answer, next *pm.TicketParams) []page.Field {
	return append([]page.Field{
		{"recipient", next.Recipient.Hex()},
		{"pay at", format.PlainText(answer.Transcoder)},
		{"ticket EV", wei.Format(next.EV())},
		{"face value", wei.Format(new(big.Rat).SetInt(next.FaceValue))},
		{"wins", cli.OneIn(next.WinProbRat())},
		{"price", wei.Format(next.PricePerPixel) + " a pixel"},
		{"rand hash", next.RecipientRandHash.Hex()},
		{"expires at", fmt.Sprintf("L1 block %v", next.ExpirationBlock)},
	}, cli.SessionFields(answer.AuthToken)...)
}

// profilesText explains the word of the protocol that looks like a fault.
func profilesText(c *tickets.Credentials) string {
	if c.Profiles == wire.NoProfiles {
		return fmt.Sprintf("none (%q, as in every payment without media)", c.Profiles)
	}
	return c.Profiles
}

func credentialsFields(c *tickets.Credentials) []page.Field {
	signedBy := "no account: not a signature"
	if c.SignedBy != nil {
		signedBy = common.Address(*c.SignedBy).Hex()
	}
	return []page.Field{
		{"credentials", "signed by " + signedBy},
		{"manifest id", c.ManifestID},
		{"sequence", fmt.Sprint(c.Sequence)},
		{"data hash", c.DataHash.String()},
		{"profiles", profilesText(c)},
		{"session", c.SessionID},
		{"session ends", c.Expiration.Format(time.RFC3339)},
		{"signature", c.Sig.String()},
	}
}
