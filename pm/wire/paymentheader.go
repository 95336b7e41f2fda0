package wire

import (
	"encoding/base64"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// PaymentEncoder encodes a Livepeer-Payment header ticket by ticket, without a message for
// each: the bytes are those that EncodeHeader makes of the whole payment. The zero value is
// ready for Begin.
type PaymentEncoder struct {
	message []byte
	// price comes after the tickets: fields are in the order of their numbers.
	price []byte
}

// Begin starts the payment with the fields shared by all tickets. The payment's own tickets are
// left out.
func (e *PaymentEncoder) Begin(payment *Payment) (err error) {
	options := proto.MarshalOptions{Deterministic: true}
	before := &Payment{TicketParams: payment.GetTicketParams(), Sender: payment.GetSender(), ExpirationParams: payment.GetExpirationParams()}
	if e.message, err = options.MarshalAppend(e.message[:0], before); err != nil {
		return err
	}
	e.price, err = options.MarshalAppend(e.price[:0], &Payment{ExpectedPrice: payment.GetExpectedPrice()})
	return err
}

// Numbers of the fields that tickets have, in wire.proto.
const (
	fieldTickets protowire.Number = 4
	fieldNonce   protowire.Number = 1
	fieldSig     protowire.Number = 2
)

// Ticket adds a ticket.
func (e *PaymentEncoder) Ticket(nonce uint32, sig []byte) {
	size := protowire.SizeTag(fieldSig) + protowire.SizeBytes(len(sig))
	if nonce != 0 {
		size += protowire.SizeTag(fieldNonce) + protowire.SizeVarint(uint64(nonce))
	}
	b := protowire.AppendTag(e.message, fieldTickets, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size))
	if nonce != 0 { // 0 is encoded by leaving it out
		b = protowire.AppendTag(b, fieldNonce, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(nonce))
	}
	b = protowire.AppendTag(b, fieldSig, protowire.BytesType)
	e.message = protowire.AppendBytes(b, sig)
}

// Len returns how many characters AppendTo appends.
func (e *PaymentEncoder) Len() int {
	return base64.StdEncoding.EncodedLen(len(e.message) + len(e.price))
}

// AppendTo ends the payment and appends the header's value to b. The next call is Begin.
func (e *PaymentEncoder) AppendTo(b []byte) []byte {
	e.message = append(e.message, e.price...)
	e.price = e.price[:0]
	return base64.StdEncoding.AppendEncode(b, e.message)
}
