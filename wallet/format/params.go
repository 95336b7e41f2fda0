package format

import (
	"io"
	"time"
)

// ReadParams reads ticket params, and judges their form with (*Params).TicketParams. It
// fails as Read does.
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

// Params is a recipient's answer, with who asked for it, where and when. Whatever the
// recipient wants back, it wants back as it came, so all of it is kept: each Unknown
// holds the protobuf fields of its message that are not known here.
type Params struct {
	// Sender is who the params are for.
	Sender Address `json:"sender"`

	// URL is where they were asked for, and Transcoder where payments go; empty when
	// that is URL.
	URL        string `json:"url"`
	Transcoder string `json:"transcoder"`

	// FetchedAt is when the answer came, to the second.
	FetchedAt time.Time `json:"fetched_at"`

	// StoreID names the store that knows which of the params' nonces are taken;
	// empty when none does.
	StoreID string `json:"store_id,omitzero"`

	// Works are the kinds of AI work that were asked for, as PIPELINE/MODEL; none for
	// transcoding. The price is theirs.
	Works []string `json:"works,omitempty"`

	// Offer is what tickets must be made from, at Price; a missing price is 0.
	Offer TicketParams `json:"ticket_params"`
	Price *Price       `json:"price,omitzero"`

	// Address is the node's own key, which need not be the recipient's; nil when the
	// answer has none.
	Address *Address `json:"address,omitzero"`

	// Capabilities are carried as they came; nil when the answer has none.
	Capabilities Bytes `json:"capabilities,omitzero"`

	// AuthToken is the leave to pay under a session; nil when the answer has none.
	AuthToken *AuthToken `json:"auth_token,omitzero"`

	// WorkPrices are what the answer says that kinds of work cost. They are read from
	// Unknown, for people; nothing is made from them.
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
	ExpirationBlock Uint `json:"expiration_block"`

	// ExpirationParams is the round that tickets belong to; nil when the sender shall
	// choose it.
	ExpirationParams *ExpirationParams `json:"expiration_params,omitzero"`

	Unknown Bytes `json:"unknown,omitempty"`
}

// ExpirationParams tie a ticket to the round it was made in.
type ExpirationParams struct {
	CreationRound          Nat   `json:"creation_round"`
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
	// Capability is the network's number, and Pipeline the name that there is for it.
	Capability    uint32 `json:"capability"`
	Pipeline      string `json:"pipeline"`
	Model         string `json:"model"`
	PricePerUnit  Nat    `json:"price_per_unit"`
	PixelsPerUnit Nat    `json:"pixels_per_unit"`
}

// AuthToken is a recipient's leave to pay under a session. It is a secret between the
// two, though a short-lived one.
type AuthToken struct {
	Token     Bytes  `json:"token"`
	SessionID string `json:"session_id"`

	// Expiration is when the token's life ends, in seconds since 1970.
	Expiration Int   `json:"expiration"`
	Unknown    Bytes `json:"unknown,omitempty"`
}
