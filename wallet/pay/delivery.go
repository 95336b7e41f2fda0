package pay

import (
	"context"
	"errors"
	"fmt"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// delivery is a set of tickets to deliver together.
type delivery struct {
	offer     *Offer
	tickets   *Tickets
	segment   string
	continued bool
	// record is its record; nil for a payment without a request.
	record *store.Record
}

// deliver signs and delivers, and records the answer. If it returns no error, the tickets are
// accepted, or the records must be read again: another process has changed theirs, or more is due first.
func (p *paymentRun) deliver(ctx context.Context, d *delivery) error {
	if err := p.open(ctx); err != nil {
		return err
	}
	if d.record != nil { // a credit may have lapsed while the key was opened
		if err := p.recallCredit(); err != nil || p.creditLapsed && p.amount.due(p.made) {
			return err
		}
	}
	batch, err := d.tickets.Batch(ctx, p.key)
	if err != nil {
		return err
	}
	headers, err := headersOf(batch, d.segment)
	if err != nil {
		return err
	}
	if begun, err := p.begin(ctx, d); !begun || err != nil {
		return err
	}
	p.sent++
	receipt, err := p.Client.Deliver(ctx, d.offer.Transcoder, p.Payer.Sender, headers)
	// The outcome must be recorded even when ctx has ended.
	after := context.WithoutCancel(ctx)
	if err != nil {
		var unknown *UnknownOutcomeError
		if errors.As(err, &unknown) && d.record != nil {
			unknown.Request, unknown.Again = d.record.ID, d.record.Deliveries > 1
		}
		if errors.As(err, new(*RefusedError)) || unknown != nil {
			t := d.tickets
			err = hint.Kind(errSent, fmt.Errorf("%w (sent: %d of %s to %v, from nonce %d)", err, t.Nonces.Count, wei.Format(t.TicketEV), t.Params.Recipient, t.Nonces.First))
		}
		return p.failed(after, d, errors.Join(err, p.Kept.Drop(after, p.Payer.Sender, p.URL)))
	}
	p.nextErr = receipt.NextErr
	if next := receipt.Next; next != nil && next.Params.Recipient != d.offer.Params.Recipient {
		receipt.Next = nil
		p.nextErr = &OtherRecipientError{URL: p.URL.String(), Was: d.offer.Params.Recipient, Now: next.Params.Recipient}
	}
	if next := receipt.Next; next == nil {
		p.nextErr = errors.Join(p.nextErr, p.Kept.Drop(after, p.Payer.Sender, p.URL))
	} else {
		// Answers name the transcoder; the session is stored by its own URL.
		next.URL = p.URL
		p.stay(d.offer, next)
		p.nextErr = errors.Join(p.nextErr, p.Kept.Save(after, next))
	}
	return p.accepted(after, d)
}

// begin records that the payment is about to be delivered. It returns false if another process has
// had it accepted since the request was read.
func (p *paymentRun) begin(ctx context.Context, d *delivery) (begun bool, err error) {
	if d.record == nil {
		return true, nil
	}
	err = p.Requests.BeginDelivery(ctx, p.Payer.Sender, d.record)
	var moved *store.RequestMovedError
	if !errors.As(err, &moved) || moved.Now == nil {
		return err == nil, inProgress(err)
	}
	switch now := moved.Now; now.State {
	case store.Accepted:
		*d.record = *now
		return false, nil
	case store.Refused:
		return false, &RefusedBeforeError{now.ID, now.Outcome, now.At}
	}
	return false, inProgress(err)
}

// accepted records the acceptance. If that fails, the payment was accepted nevertheless, and is not
// continued: an unrecorded part would be delivered again.
func (p *paymentRun) accepted(ctx context.Context, d *delivery) error {
	if d.record == nil {
		return nil
	}
	now, err := p.Requests.EndDelivery(ctx, p.Payer.Sender, d.record, store.Accepted, "")
	d.record.State = store.Accepted
	if now != nil {
		d.record.Deliveries = now.Deliveries
	}
	p.noteErr = errors.Join(p.noteErr, err)
	return nil
}

// failed records a failed delivery. It returns the error to report, or nil if another process has
// had the tickets accepted.
func (p *paymentRun) failed(ctx context.Context, d *delivery, err error) error {
	if d.record == nil {
		return err
	}
	end, outcome := store.Reserved, "" // no ticket was sent
	var refused *RefusedError
	switch {
	case errors.As(err, new(*UnknownOutcomeError)):
		end = store.Sent
	case errors.As(err, &refused):
		end, outcome = store.Refused, refused.Text
	}
	now, noteErr := p.Requests.EndDelivery(ctx, p.Payer.Sender, d.record, end, outcome)
	if noteErr != nil {
		if end != store.Reserved {
			// Only the store, which does not answer, knows whether another delivery was accepted.
			err = p.unknown(d, err)
		}
		return errors.Join(err, noteErr)
	}
	*d.record = *now
	switch {
	case now.State == store.Accepted:
		return nil
	case end == store.Refused && now.State != store.Refused:
		return p.unknown(d, err)
	}
	return err
}

func (p *paymentRun) unknown(d *delivery, err error) error {
	return &UnknownOutcomeError{URL: d.offer.Transcoder.String(), Err: err, Request: d.record.ID, Again: true}
}
