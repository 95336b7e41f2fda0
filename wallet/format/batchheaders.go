package format

import (
	"encoding/base64"
	"fmt"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// paymentWriter writes batches as payment messages, each of which must be complete before any of it
// is written.
type paymentWriter struct {
	out chunkWriter
	sequence
	headers bool
	payment wire.PaymentEncoder
	segment string
}

// leastTicket is the least size of a ticket in a payment, in bytes.
const leastTicket = 71

// Begin stores the header.
func (w *paymentWriter) Begin(h *BatchHeader) error {
	if err := w.begin(h); err != nil {
		return err
	}
	if w.headers && h.Segment == "" {
		return ErrNoSegment
	}
	// Fail before tickets are signed that could not be delivered.
	if uint64(h.Tickets)*leastTicket > uint64(base64.StdEncoding.DecodedLen(wire.MaxHeader)) {
		return tooManyTickets(h.Tickets)
	}
	payment, err := h.payment()
	if err != nil {
		return err
	}
	w.segment = h.Segment
	return w.payment.Begin(payment)
}

func (w *paymentWriter) Ticket(t pm.TicketSenderParams) error {
	if err := w.take(t); err != nil {
		return err
	}
	w.payment.Ticket(t.SenderNonce, t.Sig)
	return nil
}

func (w *paymentWriter) End() error {
	if err := w.finish(); err != nil {
		return err
	}
	if w.payment.Len() > wire.MaxHeader {
		return tooManyTickets(w.count)
	}
	b := w.out.pending
	if w.headers {
		b = append(b, wire.PaymentHeader+": "...)
	}
	b = append(w.payment.AppendTo(b), '\n')
	if w.headers {
		b = append(b, wire.SegmentHeader+": "+w.segment+"\n"...)
	}
	w.out.pending = b
	return w.out.flush()
}

func tooManyTickets(count uint32) error {
	return fmt.Errorf("%w: %d tickets do not fit in an HTTP header of %d characters; create smaller batches, or write %s", ErrTooLarge, count, wire.MaxHeader, NDJSON)
}
