package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// Forms of input, in addition to the formats of batches.
const (
	ParamsForm = "params"
	// Segment is a Livepeer-Segment header alone.
	Segment = "segment"

	// PaymentResult is a recipient's answer to a payment: protobuf, or that in base64.
	PaymentResult = "payment_result"
)

// Document is the result of Decode. Fields that the input does not have are nil.
type Document struct {
	// Form is the form of the input: ParamsForm, JSON, NDJSON, Payment, Headers, Segment or
	// PaymentResult.
	Form string

	// Params is the params document.
	Params *Params

	// Batch has the tickets, and Header what they share. The tickets of a payment may have any
	// nonces; the header then has the lowest, and their count.
	Batch  *pm.TicketBatch
	Header *BatchHeader

	// Segment are the segment credentials, of the header or of the batch.
	Segment *wire.SegData

	// Answer is that of a recipient.
	Answer *Answer
}

// Decode reads any document of params or a batch that this package writes, and the headers
// Livepeer-Payment and Livepeer-Segment: a value alone, or lines of name and value; and a recipient's
// answer to a payment. It detects truncated input and checks every width, but verifies no signature. It returns ErrTruncated,
// ErrTooLarge, ErrSyntax, ErrKind, *VersionError or the reader's error.
func Decode(r io.Reader) (*Document, error) {
	input, err := readAll(r, MaxSize)
	if err != nil {
		return nil, err
	}
	if isPaymentResult(input) {
		return decodePaymentResult(input)
	}
	if err := checkText(input); err != nil {
		return nil, err
	}
	if bytes.TrimSpace(input)[0] == '{' {
		return decodeJSON(input)
	}
	return decodeHeaders(input)
}

func decodeJSON(input []byte) (*Document, error) {
	document, rest, err := first(input)
	if err != nil {
		return nil, err
	}
	head, err := identify(document, KindParams, KindBatch, KindHeaders)
	if err != nil {
		return nil, err
	}
	if head.Kind == KindBatch {
		return decodeBatch(head, document, rest)
	}
	if err := onlySpace(rest); err != nil {
		return nil, err
	}
	if head.Kind == KindHeaders {
		return decodeHeadersDocument(head, document)
	}
	params, err := ReadParams(bytes.NewReader(input))
	if err != nil {
		return nil, err
	}
	return &Document{Form: ParamsForm, Params: params}, nil
}

// decodeBatch reads a batch whose tickets are in its document, or in the lines that follow.
func decodeBatch(head head, document json.RawMessage, rest []byte) (*Document, error) {
	var b batch
	if err := head.unmarshalData(document, &b); err != nil {
		return nil, err
	}
	form := JSON
	if b.Signatures == nil {
		form = NDJSON
		var err error
		if b.Signatures, err = decodeLines(rest, b.Tickets); err != nil {
			return nil, err
		}
	} else if err := onlySpace(rest); err != nil {
		return nil, err
	}
	tickets, err := b.tickets()
	if err != nil {
		return nil, invalid(err)
	}
	return b.document(form, tickets)
}

func (b *batch) document(form string, tickets *pm.TicketBatch) (*Document, error) {
	d := &Document{Form: form, Batch: tickets, Header: &b.BatchHeader}
	if b.Segment != "" {
		var err error
		if d.Segment, err = decodeSegment(b.Segment); err != nil {
			return nil, invalid(err)
		}
	}
	return d, nil
}

// decodeLines reads one ticket per line. Each keeps its line end: one that has it is complete.
func decodeLines(rest []byte, count uint32) ([]Ticket, error) {
	tickets := []Ticket{}
	if header, lines, ok := bytes.Cut(rest, []byte("\n")); ok && len(bytes.TrimSpace(header)) == 0 {
		rest = lines
	}
	for line := range bytes.Lines(withoutBlankEnd(rest)) {
		var t Ticket
		if err := unmarshalLine(line, &t); err != nil {
			return nil, fmt.Errorf("ticket %d: %w", len(tickets)+1, err)
		}
		tickets = append(tickets, t)
	}
	if uint64(len(tickets)) < uint64(count) {
		return nil, fmt.Errorf("%w: %d of %d tickets are there", ErrTruncated, len(tickets), count)
	}
	return tickets, nil
}

func withoutBlankEnd(lines []byte) []byte {
	end := len(bytes.TrimRight(lines, " \t\r\n"))
	switch at := bytes.IndexByte(lines[end:], '\n'); {
	case end == 0:
		return nil
	case at >= 0:
		return lines[:end+at+1]
	}
	return lines
}

func unmarshalLine(line []byte, t *Ticket) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return fmt.Errorf("%w: the line is empty", ErrSyntax)
	}
	value, rest, err := first(line)
	if err != nil {
		return err
	}
	if err := onlySpace(rest); err != nil {
		return err
	}
	return unmarshal(value, t)
}

// tickets returns the batch for package pm. It returns *wire.FieldError for other tickets than the
// header's, and the errors of check.
func (b *batch) tickets() (*pm.TicketBatch, error) {
	payment, err := b.check()
	if err != nil {
		return nil, err
	}
	if len(b.Signatures) != int(b.Tickets) {
		return nil, &wire.FieldError{Field: "signatures", Got: fmt.Sprint(len(b.Signatures)), Want: fmt.Sprintf("%d, as tickets says", b.Tickets)}
	}
	for i := range b.Signatures {
		t := &b.Signatures[i]
		if want := b.FirstNonce + uint32(i); t.Nonce != want {
			return nil, &wire.FieldError{Field: fmt.Sprintf("signatures[%d].nonce", i), Got: fmt.Sprint(t.Nonce), Want: fmt.Sprint(want)}
		}
		payment.TicketSenderParams = append(payment.TicketSenderParams, &wire.TicketSenderParams{SenderNonce: t.Nonce, Sig: t.Sig[:]})
	}
	return payment.Batch()
}
