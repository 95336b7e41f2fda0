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

	// NDJSON is a line with the header's document and a line for each ticket.
	NDJSON = "ndjson"

	// JSONLine is the document that JSON is, on one line, for many batches in one stream.
	// Decode takes both for the same.
	JSONLine = "json-line"

	// Payment is the value of a Livepeer-Payment header on a line of its own.
	Payment = "payment"

	// Headers are both lines that deliver the batch over HTTP, as curl -H @- reads them.
	Headers = "headers"
)

// ErrFormat is returned for a format that batches are not written in.
var ErrFormat = errors.New("unknown format of a batch")

// ErrNoSegment is returned for headers that are to be written without the value of
// the Livepeer-Segment header.
var ErrNoSegment = errors.New("both headers need segment credentials, and the batch has none")

// BatchWriter writes one batch after another: Begin, then Ticket as often as the header's
// Count says, then End. What was written is whole only when End has returned nil. No
// write ends within a ticket, and End leaves nothing unwritten.
type BatchWriter interface {
	// Begin writes the header. It fails before anything is written for a header that
	// no batch can have, and as the format needs: with ErrNoSegment, or ErrTooLarge.
	Begin(header *BatchHeader) error

	// Ticket writes the next ticket. The Sig may be reused after it returns. It fails
	// with *wire.FieldError for a ticket that is not the header's next one.
	Ticket(ticket pm.TicketSenderParams) error

	// End writes what remains. It fails with *wire.FieldError when tickets are missing.
	End() error
}

// NewBatchWriter returns a BatchWriter to w in one of the formats. It fails with
// ErrFormat for any other. JSON, JSONLine and NDJSON take no more memory for more tickets.
func NewBatchWriter(w io.Writer, format string) (BatchWriter, error) {
	out := chunkWriter{w: w}
	switch format {
	case JSON:
		return &jsonWriter{out: out, layout: indentedLayout()}, nil
	case JSONLine:
		return &jsonWriter{out: out, layout: lineLayout()}, nil
	case NDJSON:
		return &jsonWriter{out: out, layout: linesLayout()}, nil
	case Payment:
		return &paymentWriter{out: out}, nil
	case Headers:
		return &paymentWriter{out: out, headers: true}, nil
	}
	return nil, fmt.Errorf("%w: %q; one of %s", ErrFormat, format, strings.Join([]string{JSON, NDJSON, JSONLine, Payment, Headers}, ", "))
}

// sequence sees to it that tickets are what their header says: no nonce more, less or
// twice.
type sequence struct {
	next, end uint64
	count     uint32
	begun     bool
}

// errOrder is returned to a caller that does not keep a BatchWriter's order.
var errOrder = errors.New("a batch is written as Begin, its tickets, End")

func (s *sequence) begin(h *BatchHeader) error {
	if s.begun {
		return errOrder
	}
	if _, err := h.check(); err != nil {
		return err
	}
	s.begun, s.count = true, h.Count
	s.next, s.end = uint64(h.FirstNonce), uint64(h.FirstNonce)+uint64(h.Count)
	return nil
}

func (s *sequence) take(t pm.TicketSenderParams) error {
	switch {
	case !s.begun:
		return errOrder
	case s.next == s.end:
		return &wire.FieldError{Field: "count", Got: "one more ticket", Want: "as many as the batch's header says"}
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
		return &wire.FieldError{Field: "count", Got: fmt.Sprintf("%d tickets too few", missing), Want: "as many as the batch's header says"}
	}
	s.begun = false
	return nil
}
