package format

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/pmctl/pmctl/pm/wire"
)

// decodeHeaders reads lines of name and value, or a single value. Its errors do not repeat
// unrecognised text: a file passed by mistake may contain a secret.
func decodeHeaders(input []byte) (*Document, error) {
	d := new(Document)
	number := 0
	for line := range bytes.Lines(bytes.TrimSpace(input)) {
		number++
		text := strings.TrimSpace(string(line))
		name, value, named := strings.Cut(text, ":")
		value = strings.TrimSpace(value)
		var err error
		switch {
		case text == "":
		case !named && len(line) == len(bytes.TrimSpace(input)):
			return decodeValue(text)
		case named && d.Batch == nil && strings.EqualFold(strings.TrimSpace(name), wire.PaymentHeader):
			err = d.payment(value)
		case named && d.Segment == nil && strings.EqualFold(strings.TrimSpace(name), wire.SegmentHeader):
			d.Segment, err = decodeSegment(value)
		default:
			err = fmt.Errorf("line %d is not one %s and not one %s header, nor does the input begin a document of pmctl", number, wire.PaymentHeader, wire.SegmentHeader)
		}
		if err != nil {
			return nil, invalid(err)
		}
	}
	switch {
	case d.Batch == nil:
		d.Form = Segment
	case d.Segment == nil:
		d.Form = Payment
	default:
		d.Form = Headers
	}
	return d, nil
}

// decodeValue reads the value of either header, or a recipient's answer. They cannot be confused: the second field of a
// payment is an address, that of credentials a number, and an answer begins with its own tag.
func decodeValue(value string) (*Document, error) {
	if message, err := base64.StdEncoding.DecodeString(value); err == nil && isPaymentResult(message) {
		return decodePaymentResult(message)
	}
	d := &Document{Form: Payment}
	paymentErr := d.payment(value)
	if paymentErr == nil {
		return d, nil
	}
	segment, segmentErr := decodeSegment(value)
	if segmentErr == nil {
		return &Document{Form: Segment, Segment: segment}, nil
	}
	if errors.Is(paymentErr, wire.ErrNotHeader) && errors.Is(segmentErr, wire.ErrNotHeader) {
		return nil, fmt.Errorf("%w: neither a document of pmctl nor the value of a %s or %s header: %w", ErrSyntax, wire.PaymentHeader, wire.SegmentHeader, wire.ErrNotHeader)
	}
	return nil, fmt.Errorf("%w: the value is neither a payment (%w) nor segment credentials (%w)", ErrSyntax, paymentErr, segmentErr)
}

func (d *Document) payment(value string) error {
	payment, err := wire.DecodePaymentHeader(value)
	if err == nil && payment.ExpectedPrice == nil {
		// Recipients refuse a payment without it, and a truncated payment lacks it.
		err = &wire.MissingError{Field: "expected_price"}
	}
	if err == nil {
		d.Batch, err = payment.Batch()
	}
	if err == nil {
		d.Header, err = newBatchHeader(d.Batch.Sender, d.Batch.TicketParams, *d.Batch.TicketExpirationParams)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", wire.PaymentHeader, err)
	}
	d.Header.Tickets = uint32(len(d.Batch.SenderParams))
	lowest := uint32(math.MaxUint32)
	for _, t := range d.Batch.SenderParams {
		lowest = min(lowest, t.SenderNonce)
	}
	if d.Header.Tickets > 0 {
		d.Header.FirstNonce = lowest
	}
	return nil
}

// decodeSegment decodes the value of a Livepeer-Segment header. Credentials without an auth token
// deliver nothing, and truncated ones lack it.
func decodeSegment(value string) (*wire.SegData, error) {
	segment, err := wire.DecodeSegmentHeader(value)
	if err == nil {
		err = segment.Check()
	}
	if err == nil && segment.AuthToken == nil {
		err = &wire.MissingError{Field: "auth_token"}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", wire.SegmentHeader, err)
	}
	return segment, nil
}
