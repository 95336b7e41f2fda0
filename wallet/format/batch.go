package format

import (
	"fmt"
	"math"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// BatchHeader is what the tickets of a batch share. Their nonces are Count consecutive numbers from
// FirstNonce.
type BatchHeader struct {
	// URL is where the params were fetched, and Transcoder where payments go; "" if that is URL.
	// Both are "" if that is unknown.
	URL        string `json:"url,omitempty"`
	Transcoder string `json:"transcoder,omitempty"`

	Sender Address `json:"sender"`

	// Offer is what the tickets are created from, at Price. Its round is not here but in
	// ExpirationParams, which is the round of the tickets.
	Offer            TicketParams     `json:"ticket_params"`
	Price            Price            `json:"price"`
	ExpirationParams ExpirationParams `json:"expiration_params"`

	TicketEV

	// Tickets is how many there are.
	Tickets    uint32 `json:"tickets"`
	FirstNonce uint32 `json:"first_nonce"`

	// Segment is the value of the Livepeer-Segment header that delivers the batch; "" for none.
	Segment string `json:"segment,omitempty"`
}

// Ticket is what differs between the tickets of a batch.
type Ticket struct {
	Nonce uint32 `json:"nonce"`
	Sig   Sig    `json:"sig"`
}

// batch is a whole batch. Signatures is nil if they follow as lines.
type batch struct {
	BatchHeader
	Signatures []Ticket `json:"signatures,omitzero"`
}

// NewBatchHeader returns the header of sender's tickets on params, in the round of expiration, with
// these nonces. It returns *pm.FieldError and *wire.FieldError for values that do not fit.
func NewBatchHeader(sender common.Address, params *pm.TicketParams, expiration pm.TicketExpirationParams, nonces pm.NonceRange) (*BatchHeader, error) {
	h, err := newBatchHeader(sender, params, expiration)
	if err != nil {
		return nil, err
	}
	h.FirstNonce, h.Tickets = nonces.First, nonces.Count
	_, err = h.check()
	return h, err
}

func newBatchHeader(sender common.Address, params *pm.TicketParams, expiration pm.TicketExpirationParams) (*BatchHeader, error) {
	offer, err := newTicketParams(params)
	if err != nil {
		return nil, err
	}
	offer.ExpirationParams = nil
	price, err := wire.FromPrice(params.PricePerPixel)
	if err != nil {
		return nil, err
	}
	return &BatchHeader{
		Sender:           Address(sender),
		Offer:            offer,
		Price:            *newPrice(price),
		ExpirationParams: *newExpirationParams(expiration),
		TicketEV:         NewTicketEV(params.EV()),
	}, nil
}

// check returns the message that delivers the batch, without its tickets. It returns
// *wire.FieldError or *pm.FieldError for values that a recipient could not use, and for a header
// that contradicts itself.
func (h *BatchHeader) check() (*wire.Payment, error) {
	payment, err := h.payment()
	if err != nil {
		return nil, err
	}
	b, err := payment.Batch()
	if err != nil {
		return nil, err
	}
	if err := h.TicketEV.check(b.EV()); err != nil {
		return nil, err
	}
	if h.Segment != "" {
		if _, err := decodeSegment(h.Segment); err != nil {
			return nil, err
		}
	}
	return payment, checkNonces(h.FirstNonce, h.Tickets)
}

// payment is check without checks.
func (h *BatchHeader) payment() (*wire.Payment, error) {
	if h.Offer.ExpirationParams != nil {
		return nil, &wire.FieldError{Field: "ticket_params.expiration_params", Got: "a round", Want: "none: a batch has it in expiration_params"}
	}
	offer, err := wire.FromTicketParams(h.Offer.pm())
	if err != nil {
		return nil, err
	}
	return &wire.Payment{
		TicketParams: offer,
		Sender:       common.Address(h.Sender).Bytes(),
		ExpirationParams: &wire.TicketExpirationParams{
			CreationRound:          int64(h.ExpirationParams.CreationRound),
			CreationRoundBlockHash: h.ExpirationParams.CreationRoundBlockHash[:],
		},
		ExpectedPrice: h.Price.wire(),
	}, nil
}

func checkNonces(first, count uint32) error {
	switch {
	case count == 0:
		return nil
	case first == 0:
		return &wire.FieldError{Field: "first_nonce", Got: "0", Want: "1 or more"}
	case uint64(first)+uint64(count)-1 > math.MaxUint32:
		return &wire.FieldError{Field: "tickets", Got: fmt.Sprint(count), Want: fmt.Sprintf("at most %d from nonce %d on", math.MaxUint32-first+1, first)}
	}
	return nil
}
