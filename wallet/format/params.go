package format

import (
	"io"
	"time"
)

// ReadParams reads ticket params and checks their form with (*Params).TicketParams. It returns the
// errors of Read.
func ReadParams(r io.Reader) (*Params, error) {
	p := new(Params)
	if err := Read(r, KindParams, p); err != nil {
		return nil, err
	}
	if _, err := p.TicketParams(); err != nil {
		return nil, invalid(err)
	}
	if err := p.checkWorks(); err != nil {
		return nil, invalid(err)
	}
	p.FetchedAt = p.FetchedAt.UTC()
	return p, nil
}

// Params is a recipient's answer, with who asked for it, where and when. A recipient expects its
// answer back byte for byte, so all of it is kept: each Unknown has the unknown protobuf fields of
// its message.
type Params struct {
	// Sender is who the params are for.
	Sender Address `json:"sender"`

	// URL is where they were fetched, and Transcoder where payments go; "" if that is URL.
	URL        string `json:"url"`
	Transcoder string `json:"transcoder"`

	// FetchedAt is when the answer came, to the second.
	FetchedAt time.Time `json:"fetched_at"`

	// StoreID identifies the store that reserves the params' nonces; "" for none.
	StoreID string `json:"store_id,omitzero"`

	// Works are the kinds of AI work that were asked for, as PIPELINE/MODEL; none for transcoding.
	// The price is for them.
	Works []string `json:"works,omitempty"`

	// Offer is what tickets must be created from, at Price; a missing price is 0.
	Offer TicketParams `json:"ticket_params"`
	Price *Price       `json:"price,omitzero"`

	// Address is the node's own key, which may differ from the recipient's; nil if the answer has
	// none.
	Address *Address `json:"address,omitzero"`

	// Capabilities are opaque; nil if the answer has none.
	Capabilities Bytes `json:"capabilities,omitzero"`

	// AuthToken allows payments under a session; nil if the answer has none.
	AuthToken *AuthToken `json:"auth_token,omitzero"`

	// WorkPrices are the answer's prices of kinds of work, decoded from Unknown for display.
	WorkPrices []WorkPrice `json:"capabilities_prices,omitempty"`

	Unknown Bytes `json:"unknown,omitempty"`
}

// TicketParams are what a recipient asks of tickets.
type TicketParams struct {
	Recipient Address `json:"recipient"`

	// FaceValue is what a win pays.
	FaceValue Amount `json:"face_value"`

	// WinProb is the numerator of the probability to win, over 2^256-1.
	WinProb           Uint `json:"win_prob"`
	RecipientRandHash Hash `json:"recipient_rand_hash"`
	Seed              Uint `json:"seed"`

	// ExpirationBlock is the L1 block from which the recipient refuses tickets.
	ExpirationBlock BigNum `json:"expiration_block"`

	// ExpirationParams is the round that tickets belong to; nil if the sender chooses it.
	ExpirationParams *ExpirationParams `json:"expiration_params,omitzero"`

	Unknown Bytes `json:"unknown,omitempty"`
}

// ExpirationParams tie a ticket to the round it was created in.
type ExpirationParams struct {
	CreationRound          Num   `json:"creation_round"`
	CreationRoundBlockHash Hash  `json:"creation_round_block_hash"`
	Unknown                Bytes `json:"unknown,omitempty"`
}

// Price is PricePerUnit wei for PixelsPerUnit pixels.
type Price struct {
	PricePerUnit  Nat   `json:"price_per_unit"`
	PixelsPerUnit Nat   `json:"pixels_per_unit"`
	Unknown       Bytes `json:"unknown,omitempty"`
}

// WorkPrice is the price of a kind of work: PricePerUnit wei for PixelsPerUnit pixels.
type WorkPrice struct {
	// Capability is the network's number, and Pipeline its name, if it has one.
	Capability    uint32 `json:"capability"`
	Pipeline      string `json:"pipeline"`
	Model         string `json:"model"`
	PricePerUnit  Nat    `json:"price_per_unit"`
	PixelsPerUnit Nat    `json:"pixels_per_unit"`
}

// AuthToken allows payments under a session. It is a short-lived secret between sender and
// recipient.
type AuthToken struct {
	Token     Bytes  `json:"token"`
	SessionID string `json:"session_id"`
	// Expiration is when the token expires, in seconds since 1970.
	Expiration Int   `json:"expiration"`
	Unknown    Bytes `json:"unknown,omitempty"`
}
