package format

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// paymentWriter writes a batch as the message that delivers it, which must be complete
// before any of it can be written.
type paymentWriter struct {
	out *bufio.Writer
	sequence
	headers bool
	payment *wire.Payment
	segment string
}

// leastTicket is how many bytes a ticket takes in a payment, at least.
const leastTicket = 71

// Begin keeps the header.
func (w *paymentWriter) Begin(h *BatchHeader) error {
	if err := w.begin(h); err != nil {
		return err
	}
	if w.headers && h.Segment == "" {
		return ErrNoSegment
	}
	// What cannot be delivered is better not signed.
	if uint64(h.Count)*leastTicket > uint64(base64.StdEncoding.DecodedLen(wire.MaxHeader)) {
		return tooManyTickets(h.Count)
	}
	payment, err := h.payment()
	if err != nil {
		return err
	}
	payment.TicketSenderParams = make([]*wire.TicketSenderParams, 0, h.Count)
	w.payment, w.segment = payment, h.Segment
	return nil
}

// Ticket keeps a ticket.
func (w *paymentWriter) Ticket(t pm.TicketSenderParams) error {
	if err := w.take(t); err != nil {
		return err
	}
	w.payment.TicketSenderParams = append(w.payment.TicketSenderParams, &wire.TicketSenderParams{SenderNonce: t.SenderNonce, Sig: bytes.Clone(t.Sig)})
	return nil
}

// End writes the payment.
func (w *paymentWriter) End() error {
	if err := w.finish(); err != nil {
		return err
	}
	value, err := wire.EncodeHeader(w.payment)
	if err != nil {
		return err
	}
	if len(value) > wire.MaxHeader {
		return tooManyTickets(uint32(len(w.payment.TicketSenderParams)))
	}
	text := value + "\n"
	if w.headers {
		text = wire.PaymentHeader + ": " + value + "\n" + wire.SegmentHeader + ": " + w.segment + "\n"
	}
	if _, err := w.out.WriteString(text); err != nil {
		return err
	}
	return w.out.Flush()
}

func tooManyTickets(count uint32) error {
	return fmt.Errorf("%w: %d tickets do not fit in an HTTP header of %d characters; make smaller batches, or write %s", ErrTooLarge, count, wire.MaxHeader, NDJSON)
}
