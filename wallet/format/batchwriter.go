package format

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// Formats of a batch.
const (
	// JSON is one document with a list of tickets.
	JSON = "json"

	// NDJSON is a line with the header's document, and one line for each ticket.
	NDJSON = "ndjson"

	// JSONLine is JSON on one line, for many batches in one stream. Decode reads it as JSON.
	JSONLine = "json-line"

	// Payment is the value of a Livepeer-Payment header on a line of its own.
	Payment = "payment"

	// Headers are both HTTP headers that deliver the batch, as curl -H @- reads them.
	Headers = "headers"

	// HeadersLine is a document of both headers on one line, for many batches in one stream. Decode
	// reads it as Headers.
	HeadersLine = "headers-line"
)

// ErrFormat is returned for an unknown format.
var ErrFormat = errors.New("unknown format of a batch")

// ErrNoSegment is returned for Headers and HeadersLine without the value of the Livepeer-Segment header.
var ErrNoSegment = errors.New("both headers need segment credentials, and the batch has none")

// BatchWriter writes batches one after another: Begin, then Ticket as often as the header's Tickets,
// then End. The output is complete only once End has returned nil. No write ends within a ticket,
// and End flushes everything.
type BatchWriter interface {
	// Begin writes the header. It fails before writing anything for an invalid header, and with
	// ErrNoSegment or ErrTooLarge if the format requires it.
	Begin(header *BatchHeader) error

	// Ticket writes the next ticket. The Sig may be reused after it returns. It returns
	// *wire.FieldError for any other ticket than the next one.
	Ticket(ticket pm.TicketSenderParams) error

	// End writes the rest. It returns *wire.FieldError if tickets are missing.
	End() error
}

// NewBatchWriter returns a BatchWriter to w in one of the formats, or ErrFormat. The memory for
// JSON, JSONLine and NDJSON does not grow with the number of tickets.
func NewBatchWriter(w io.Writer, format string) (BatchWriter, error) {
	out := chunkWriter{w: w}
	switch format {
	case JSON:
		return &jsonWriter{out: out, layout: indentedLayout()}, nil
	case JSONLine:
		return &jsonWriter{out: out, layout: layout{between: ",", closing: "]}}\n"}}, nil
	case NDJSON:
		return &jsonWriter{out: out, layout: layout{afterTicket: "\n"}}, nil
	case Payment:
		return &paymentWriter{out: out, write: writePayment}, nil
	case Headers:
		return &paymentWriter{out: out, segment: true, write: writeHeaders}, nil
	case HeadersLine:
		return &paymentWriter{out: out, segment: true, write: writeHeadersLine}, nil
	}
	return nil, fmt.Errorf("%w: %q; one of %s", ErrFormat, format, strings.Join([]string{JSON, NDJSON, JSONLine, Payment, Headers, HeadersLine}, ", "))
}

// sequence checks that the tickets are exactly those of their header.
type sequence struct {
	next, end uint64
	count     uint32
	begun     bool
}

// errOrder is returned to a caller that calls Begin, Ticket and End in another order.
var errOrder = errors.New("a batch is written as Begin, its tickets, End")

var errNoHeader = errors.New("the batch has no header")

func (s *sequence) begin(h *BatchHeader) error {
	if s.begun {
		return errOrder
	}
	if h == nil {
		return errNoHeader
	}
	if _, err := h.check(); err != nil {
		return err
	}
	s.begun, s.count = true, h.Tickets
	s.next, s.end = uint64(h.FirstNonce), uint64(h.FirstNonce)+uint64(h.Tickets)
	return nil
}

func (s *sequence) take(t pm.TicketSenderParams) error {
	switch {
	case !s.begun:
		return errOrder
	case s.next == s.end:
		return &wire.FieldError{Field: "tickets", Got: "one more ticket", Want: "as many as the batch's header says"}
	case uint64(t.SenderNonce) != s.next:
		return &wire.FieldError{Field: "nonce", Got: fmt.Sprint(t.SenderNonce), Want: fmt.Sprint(s.next)}
	case len(t.Sig) != len(Sig{}):
		return &wire.FieldError{Field: "sig", Got: fmt.Sprintf("%d bytes", len(t.Sig)), Want: "65 bytes"}
	}
	s.next++
	return nil
}

func (s *sequence) finish() error {
	if !s.begun {
		return errOrder
	}
	if missing := s.end - s.next; missing > 0 {
		return &wire.FieldError{Field: "tickets", Got: fmt.Sprintf("%d tickets too few", missing), Want: "as many as the batch's header says"}
	}
	s.begun = false
	return nil
}
