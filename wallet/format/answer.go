package format

import (
	"time"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// Answer is what a recipient answers to a payment: the ticket params for the next one.
type Answer struct {
	Transcoder   string       `json:"transcoder"`
	Offer        TicketParams `json:"ticket_params"`
	Price        *Price       `json:"price,omitzero"`
	Address      *Address     `json:"address,omitzero"`
	Capabilities Bytes        `json:"capabilities,omitzero"`
	AuthToken    *AuthToken   `json:"auth_token,omitzero"`
	WorkPrices   []WorkPrice  `json:"capabilities_prices,omitempty"`
	Unknown      Bytes        `json:"unknown,omitempty"`
}

// resultTag begins every PaymentResult, and no other message that is read.
const resultTag = "\x82\x01"

// isPaymentResult reports whether a message can be a PaymentResult.
func isPaymentResult(message []byte) bool { return len(message) > 0 && message[0] == resultTag[0] }

// decodePaymentResult reads a recipient's answer to a payment, in protobuf.
func decodePaymentResult(message []byte) (*Document, error) {
	result := new(wire.PaymentResult)
	if err := proto.Unmarshal(message, result); err != nil {
		return nil, invalid(&wire.FieldError{Field: "the message", Got: "other bytes", Want: "a PaymentResult in protobuf"})
	}
	if result.GetInfo() == nil {
		return nil, invalid(&wire.MissingError{Field: "info"})
	}
	p, err := ParamsFromInfo(result.Info, common.Address{}, "", "", time.Time{})
	if err != nil {
		return nil, invalid(err)
	}
	return &Document{Form: PaymentResult, Answer: &Answer{
		Transcoder: p.Transcoder, Offer: p.Offer, Price: p.Price, Address: p.Address, Capabilities: p.Capabilities,
		AuthToken: p.AuthToken, WorkPrices: p.WorkPrices, Unknown: p.Unknown,
	}}, nil
}

// TicketParams returns the params with their price. It returns the errors of (*Params).TicketParams.
func (a *Answer) TicketParams() (*pm.TicketParams, error) {
	return (&Params{Offer: a.Offer, Price: a.Price}).TicketParams()
}
