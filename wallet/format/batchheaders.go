package format

import (
	"bytes"
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

	// segment reports whether batches need segment credentials, and write writes a whole batch.
	segment bool
	write   func(*paymentWriter) error

	header  *BatchHeader
	payment wire.PaymentEncoder
}

// leastTicket is the least size of a ticket in a payment, in bytes.
const leastTicket = 71

// Begin stores the header.
func (w *paymentWriter) Begin(h *BatchHeader) error {
	if err := w.begin(h); err != nil {
		return err
	}
	if w.segment && h.Segment == "" {
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
	w.header = h
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
	if err := w.write(w); err != nil {
		return err
	}
	return w.out.flush()
}

func writePayment(w *paymentWriter) error {
	w.out.pending = append(w.payment.AppendTo(w.out.pending), '\n')
	return nil
}

func writeHeaders(w *paymentWriter) error {
	b := w.payment.AppendTo(append(w.out.pending, wire.PaymentHeader+": "...))
	w.out.pending = append(b, "\n"+wire.SegmentHeader+": "+w.header.Segment+"\n"...)
	return nil
}

func writeHeadersLine(w *paymentWriter) error {
	document := newHeadersDocument(w.header)
	payment := w.payment.AppendTo([]byte(wire.PaymentHeader + ": "))
	document.Headers = []string{string(payment), wire.SegmentHeader + ": " + w.header.Segment}
	var line bytes.Buffer
	if err := WriteLine(&line, KindHeaders, document); err != nil {
		return err
	}
	w.out.pending = append(w.out.pending, line.Bytes()...)
	return nil
}

func tooManyTickets(count uint32) error {
	return fmt.Errorf("%w: %d tickets do not fit in an HTTP header of %d characters; create smaller batches, or write %s", ErrTooLarge, count, wire.MaxHeader, NDJSON)
}
