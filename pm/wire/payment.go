package wire

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
)

// HTTP headers that carry a payment and its credentials.
const (
	PaymentHeader = "Livepeer-Payment"
	SegmentHeader = "Livepeer-Segment"
)

// MaxHeader is the most characters of base64 in a header that is read: far more than a payment
// of 600 tickets needs.
const MaxHeader = 1 << 20

// ErrNotHeader is returned for text that is not a header's value.
var ErrNotHeader = errors.New("not a header")

// PaymentFor returns the message that delivers a batch. Like the network's senders, it puts the
// round in its own field and not also in the params. It fails as FromTicketParams and FromPrice
// do, with *FieldError for a signature that is not 65 bytes, and with *MissingError for a batch
// without params or round, which recipients answer with confusing errors.
func PaymentFor(batch *pm.TicketBatch) (*Payment, error) {
	if batch == nil || batch.TicketParams == nil {
		return nil, &MissingError{"ticket_params"}
	}
	if batch.TicketExpirationParams == nil {
		return nil, &MissingError{"expiration_params"}
	}
	params, err := FromTicketParams(batch.TicketParams)
	if err != nil {
		return nil, err
	}
	params.ExpirationParams = nil
	price, err := FromPrice(batch.PricePerPixel)
	if err != nil {
		return nil, err
	}
	payment := &Payment{
		TicketParams:       params,
		Sender:             batch.Sender.Bytes(),
		ExpirationParams:   fromExpirationParams(batch.TicketExpirationParams),
		TicketSenderParams: make([]*TicketSenderParams, 0, len(batch.SenderParams)),
		ExpectedPrice:      price,
	}
	for i, sp := range batch.SenderParams {
		if sp == nil {
			return nil, &MissingError{fmt.Sprintf("ticket_sender_params[%d]", i)}
		}
		if len(sp.Sig) != sigBytes {
			return nil, &FieldError{fmt.Sprintf("ticket_sender_params[%d].sig", i), bytesText(sp.Sig), "65 bytes"}
		}
		payment.TicketSenderParams = append(payment.TicketSenderParams, &TicketSenderParams{SenderNonce: sp.SenderNonce, Sig: sp.Sig})
	}
	return payment, nil
}

// Batch returns the tickets of a payment. It fails with *MissingError and *FieldError for parts
// that a recipient could not use.
func (p *Payment) Batch() (*pm.TicketBatch, error) {
	if p.GetTicketParams() == nil {
		return nil, &MissingError{"ticket_params"}
	}
	expiration, err := ToExpirationParams(p.GetExpirationParams())
	if err != nil {
		return nil, err
	}
	params, err := ToTicketParams(p.TicketParams)
	if err != nil {
		return nil, err
	}
	if params.PricePerPixel, err = toPrice("expected_price", p.ExpectedPrice); err != nil {
		return nil, err
	}
	params.ExpirationParams = expiration
	if len(p.Sender) != addressBytes {
		return nil, &FieldError{"sender", bytesText(p.Sender), "an address of 20 bytes"}
	}
	batch := &pm.TicketBatch{
		TicketParams:           params,
		TicketExpirationParams: expiration,
		Sender:                 common.BytesToAddress(p.Sender),
		SenderParams:           make([]*pm.TicketSenderParams, 0, len(p.TicketSenderParams)),
	}
	for i, sp := range p.TicketSenderParams {
		if len(sp.GetSig()) != sigBytes {
			return nil, &FieldError{fmt.Sprintf("ticket_sender_params[%d].sig", i), bytesText(sp.GetSig()), "65 bytes"}
		}
		batch.SenderParams = append(batch.SenderParams, &pm.TicketSenderParams{SenderNonce: sp.SenderNonce, Sig: sp.Sig})
	}
	return batch, nil
}

// EncodeHeader encodes a message as a header's value: protobuf in padded base64.
func EncodeHeader(m proto.Message) (string, error) {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	return base64.StdEncoding.EncodeToString(data), err
}

// DecodePaymentHeader decodes the value of a Livepeer-Payment header. It fails with
// ErrNotHeader; it does not check the message, see (*Payment).Batch.
func DecodePaymentHeader(value string) (*Payment, error) {
	payment := new(Payment)
	return payment, decodeHeader(value, payment)
}

// DecodeSegmentHeader decodes the value of a Livepeer-Segment header. It fails with
// ErrNotHeader; it does not check the message, see (*SegData).Check.
func DecodeSegmentHeader(value string) (*SegData, error) {
	segment := new(SegData)
	return segment, decodeHeader(value, segment)
}

func decodeHeader(value string, into proto.Message) error {
	if len(value) > MaxHeader {
		return fmt.Errorf("%w: %d characters, at most %d", ErrNotHeader, len(value), MaxHeader)
	}
	data, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil {
		return fmt.Errorf("%w: not base64: %w", ErrNotHeader, err)
	}
	// The decoder ignores line ends, which would end the header when it is sent.
	if base64.StdEncoding.EncodedLen(len(data)) != len(value) {
		return fmt.Errorf("%w: it contains line ends", ErrNotHeader)
	}
	if err := proto.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %w", ErrNotHeader, err)
	}
	return nil
}
