package ticket

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
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
				return newInspection(document, lines, r.Verbose)
			}}
			d.emit = func(found answer) error { return cli.EmitList(r, d.kind, found, found.write) }
			return d.run(r, cmd, cli.FileOrStdin(args))
		},
	}
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

// inspection is what pmctl ticket inspect answers: what the input is, and each part that it has.
type inspection struct {
	place
	Form        string                `json:"form"`
	Params      *format.Params        `json:"params,omitempty"`
	Batch       *inspectedBatch       `json:"batch,omitempty"`
	Credentials *inspectedCredentials `json:"credentials,omitempty"`
	// NextParams are those that a recipient's answer to a payment has for the next one.
	NextParams *format.Answer `json:"next_params,omitempty"`

	ticketParams *pm.TicketParams
	verbose      bool
}

// err implements answer: what can be decoded is as it should be.
func (i *inspection) err() error { return nil }

// inspectedBatch is a batch with what can be worked out from it.
type inspectedBatch struct {
	*format.BatchHeader
	format.TotalEV
	Signatures []inspectedTicket `json:"signatures"`

	batch *pm.TicketBatch
}

type inspectedTicket struct {
	Nonce uint32        `json:"nonce"`
	Hash  format.Hash   `json:"ticket_hash"`
	Sig   hexutil.Bytes `json:"sig"`
}

// inspectedCredentials is a Livepeer-Segment header, without the secret of its token.
type inspectedCredentials struct {
	ManifestID string        `json:"manifest_id"`
	Sequence   int64         `json:"sequence"`
	DataHash   hexutil.Bytes `json:"data_hash"`
	Profiles   string        `json:"profiles"`
	// DurationMS is the media's length in milliseconds.
	DurationMS int32         `json:"duration_ms"`
	SessionID  string        `json:"session_id"`
	Expiration time.Time     `json:"expires_at"`
	Sig        hexutil.Bytes `json:"sig"`
	// SignedBy is absent when the signature is none.
	SignedBy *format.Address `json:"signed_by,omitempty"`
}

func newInspection(document *format.Document, lines *format.TicketLines, verbose bool) (*inspection, error) {
	if err := lines.ReadInto(document); err != nil {
		return nil, err
	}
	found := &inspection{Form: document.Form, Params: document.Params, NextParams: document.Answer, verbose: verbose}
	var err error
	switch {
	case document.Params != nil:
		found.ticketParams, err = document.Params.TicketParams()
	case document.Answer != nil:
		found.ticketParams, err = document.Answer.TicketParams()
	}
	if err != nil {
		return nil, err
	}
	if document.Batch != nil {
		found.Batch = newInspectedBatch(document.Header, document.Batch)
	}
	if document.Segment != nil {
		found.Credentials = newInspectedCredentials(document.Segment)
	}
	return found, nil
}

func newInspectedBatch(header *format.BatchHeader, batch *pm.TicketBatch) *inspectedBatch {
	found := &inspectedBatch{
		BatchHeader: header,
		TotalEV:     format.NewTotalEV(totalEV(batch)),
		Signatures:  make([]inspectedTicket, len(batch.SenderParams)),
		batch:       batch,
	}
	for i, ticket := range batch.Tickets() {
		found.Signatures[i] = inspectedTicket{ticket.SenderNonce, format.Hash(ticket.Hash()), batch.SenderParams[i].Sig}
	}
	return found
}

func totalEV(batch *pm.TicketBatch) *big.Rat {
	ev := batch.EV()
	return ev.Mul(ev, new(big.Rat).SetInt64(int64(len(batch.SenderParams))))
}

func newInspectedCredentials(segment *wire.SegData) *inspectedCredentials {
	found := &inspectedCredentials{
		ManifestID: format.PlainText(string(segment.GetManifestId())),
		Sequence:   segment.GetSeq(),
		DataHash:   segment.GetHash(),
		Profiles:   format.PlainText(string(segment.GetProfiles())),
		DurationMS: segment.GetDuration(),
		SessionID:  format.PlainText(segment.GetAuthToken().GetSessionId()),
		Expiration: time.Unix(segment.GetAuthToken().GetExpiration(), 0).UTC(),
		Sig:        segment.GetSig(),
	}
	if signer, ok := signerOf(wire.SegmentMessage(segment), segment.GetSig()); ok {
		found.SignedBy = (*format.Address)(&signer)
	}
	return found
}

// write prints the parts for a person, one after the other.
func (i *inspection) write(w *page.Page) error {
	fields := []page.Field{{"form", i.Form}}
	if i.Params != nil {
		fields = append(fields, cli.ParamsFields(i.Params, i.ticketParams)...)
	}
	if i.Batch != nil {
		fields = append(fields, batchFields(i.Batch.batch)...)
		if i.Batch.URL != "" {
			fields = append(fields, page.Field{"url", format.PlainText(i.Batch.URL)})
		}
	}
	if i.NextParams != nil {
		fields = append(fields, answerFields(i.NextParams, i.ticketParams)...)
	}
	if i.Credentials != nil {
		fields = append(fields, i.Credentials.fields()...)
	}
	if err := w.Fields(fields); err != nil || i.Batch == nil {
		return err
	}
	if err := w.Print("\n"); err != nil {
		return err
	}
	header := []page.Column{page.Number("nonce"), page.Text("ticket hash")}
	if i.verbose {
		header = append(header, page.Text("signature"))
	}
	rows := make([][]string, len(i.Batch.Signatures))
	for at, ticket := range i.Batch.Signatures {
		rows[at] = []string{fmt.Sprint(ticket.Nonce), common.Hash(ticket.Hash).Hex(), ticket.Sig.String()}[:len(header)]
	}
	return w.Table(header, rows)
}

// batchFields is what the tickets of a batch share, for a person.
func batchFields(batch *pm.TicketBatch) []page.Field {
	return []page.Field{
		{"recipient", batch.Recipient.Hex()},
		{"sender", batch.Sender.Hex()},
		{"tickets", fmt.Sprint(len(batch.SenderParams))},
		{"ticket EV", wei.Format(batch.EV())},
		{"total EV", wei.Format(totalEV(batch))},
		{"face value", wei.Format(new(big.Rat).SetInt(batch.FaceValue))},
		{"wins", cli.OneIn(batch.WinProbRat())},
		{"price", wei.Format(batch.PricePerPixel) + " per pixel"},
		{"rand hash", batch.RecipientRandHash.Hex()},
		{"round", fmt.Sprint(batch.CreationRound)},
		{"round's hash", batch.CreationRoundBlockHash.Hex()},
		{"expires at", fmt.Sprintf("L1 block %v", batch.ExpirationBlock)},
	}
}

// answerFields is a recipient's answer to a payment, for a person.
func answerFields(answer *format.Answer, next *pm.TicketParams) []page.Field {
	fields := []page.Field{
		{"recipient", next.Recipient.Hex()},
		{"pay at", format.PlainText(answer.Transcoder)},
		{"ticket EV", wei.Format(next.EV())},
		{"face value", wei.Format(new(big.Rat).SetInt(next.FaceValue))},
		{"wins", cli.OneIn(next.WinProbRat())},
		{"price", wei.Format(next.PricePerPixel) + " a pixel"},
		{"rand hash", next.RecipientRandHash.Hex()},
		{"expires at", fmt.Sprintf("L1 block %v", next.ExpirationBlock)},
	}
	if token := answer.AuthToken; token != nil {
		fields = append(fields,
			page.Field{"session", format.PlainText(token.SessionID)},
			page.Field{"session ends", time.Unix(int64(token.Expiration), 0).UTC().Format(time.RFC3339)},
		)
	}
	return fields
}

func (c *inspectedCredentials) fields() []page.Field {
	signedBy := "no account: not a signature"
	if c.SignedBy != nil {
		signedBy = common.Address(*c.SignedBy).Hex()
	}
	return []page.Field{
		{"credentials", "signed by " + signedBy},
		{"manifest id", c.ManifestID},
		{"sequence", fmt.Sprint(c.Sequence)},
		{"data hash", c.DataHash.String()},
		{"profiles", c.Profiles},
		{"session", c.SessionID},
		{"session ends", c.Expiration.Format(time.RFC3339)},
		{"signature", c.Sig.String()},
	}
}
