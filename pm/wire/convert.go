package wire

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm"
)

// Widths of the fields, in bytes.
const (
	addressBytes = common.AddressLength
	hashBytes    = common.HashLength
	uintBytes    = 32
	sigBytes     = 65
)

// FieldError is a field whose value the protocol does not allow.
type FieldError struct {
	// Field is the field's path, such as ticket_params.face_value.
	Field string
	// Got is the value found, and Want what is allowed, in words.
	Got, Want string
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("%s: got %s, want %s", e.Field, e.Got, e.Want)
}

// MissingError is a required part that a message lacks.
type MissingError struct {
	// Field is the part's path, such as ticket_params.expiration_params.
	Field string
}

func (e *MissingError) Error() string { return e.Field + " is missing" }

// Params returns the ticket params in a recipient's offer, with their price. It fails with
// *MissingError if there are none, and with *FieldError for a field that the protocol does not allow.
// Missing expiration params stay nil: a sender then uses the last initialized round.
func (i *OrchestratorInfo) Params() (*pm.TicketParams, error) {
	if i.GetTicketParams() == nil {
		return nil, &MissingError{"ticket_params"}
	}
	params, err := ToTicketParams(i.TicketParams)
	if err != nil {
		return nil, err
	}
	if params.PricePerPixel, err = toPrice("price_info", i.PriceInfo); err != nil {
		return nil, err
	}
	return params, nil
}

// ToTicketParams converts ticket params, without their price. It fails with *FieldError for a
// field of the wrong width and for a negative round.
func ToTicketParams(p *TicketParams) (*pm.TicketParams, error) {
	r := reader{path: "ticket_params"}
	params := &pm.TicketParams{
		Recipient:         r.address("recipient", p.GetRecipient()),
		FaceValue:         r.uint("face_value", p.GetFaceValue()),
		WinProb:           r.uint("win_prob", p.GetWinProb()),
		RecipientRandHash: r.hash("recipient_rand_hash", p.GetRecipientRandHash()),
		Seed:              r.uint("seed", p.GetSeed()),
		ExpirationBlock:   r.uint("expiration_block", p.GetExpirationBlock()),
	}
	if r.err != nil {
		return nil, r.err
	}
	if e := p.GetExpirationParams(); e != nil {
		expiration, err := toExpirationParams("ticket_params.expiration_params", e)
		if err != nil {
			return nil, err
		}
		params.ExpirationParams = expiration
	}
	return params, nil
}

// FromTicketParams converts ticket params, with their expiration params if they have some. It
// fails as (*pm.TicketParams).CheckFields does: with *pm.FieldError, and for nil params.
func FromTicketParams(p *pm.TicketParams) (*TicketParams, error) {
	if err := p.CheckFields(); err != nil {
		return nil, err
	}
	out := &TicketParams{
		Recipient:         p.Recipient.Bytes(),
		FaceValue:         uintToWire(p.FaceValue),
		WinProb:           uintToWire(p.WinProb),
		RecipientRandHash: p.RecipientRandHash.Bytes(),
		Seed:              uintToWire(p.Seed),
		ExpirationBlock:   uintToWire(p.ExpirationBlock),
	}
	if p.ExpirationParams != nil {
		out.ExpirationParams = fromExpirationParams(p.ExpirationParams)
	}
	return out, nil
}

// ToExpirationParams converts the round of a payment's tickets. It fails with *MissingError if
// there is none, and with *FieldError for a negative round or a hash of another width.
func ToExpirationParams(e *TicketExpirationParams) (*pm.TicketExpirationParams, error) {
	if e == nil {
		return nil, &MissingError{"expiration_params"}
	}
	return toExpirationParams("expiration_params", e)
}

func toExpirationParams(path string, e *TicketExpirationParams) (*pm.TicketExpirationParams, error) {
	if e.GetCreationRound() < 0 {
		return nil, &FieldError{path + ".creation_round", fmt.Sprint(e.CreationRound), "0 or more"}
	}
	r := reader{path: path}
	// A zero hash may be sent as no bytes: it leaves the choice to the sender.
	var hash common.Hash
	if len(e.GetCreationRoundBlockHash()) != 0 {
		hash = r.hash("creation_round_block_hash", e.CreationRoundBlockHash)
	}
	return &pm.TicketExpirationParams{CreationRound: e.GetCreationRound(), CreationRoundBlockHash: hash}, r.err
}

func fromExpirationParams(e *pm.TicketExpirationParams) *TicketExpirationParams {
	return &TicketExpirationParams{CreationRound: e.CreationRound, CreationRoundBlockHash: e.CreationRoundBlockHash.Bytes()}
}

// ToPrice converts a price in wei per pixel. A missing price is 0, as in the deployed node. It
// fails with *FieldError for a negative price and for 0 pixels.
func ToPrice(p *PriceInfo) (*big.Rat, error) { return toPrice("price", p) }

func toPrice(path string, p *PriceInfo) (*big.Rat, error) {
	switch {
	case p == nil:
		return new(big.Rat), nil
	case p.PricePerUnit < 0:
		return nil, &FieldError{path + ".price_per_unit", fmt.Sprint(p.PricePerUnit), "0 or more"}
	case p.PixelsPerUnit <= 0:
		return nil, &FieldError{path + ".pixels_per_unit", fmt.Sprint(p.PixelsPerUnit), "1 or more"}
	}
	return big.NewRat(p.PricePerUnit, p.PixelsPerUnit), nil
}

// FromPrice converts a price in wei per pixel; nil counts as 0. It fails with *FieldError for a
// negative price, and if a term of the fraction does not fit 63 bits.
func FromPrice(price *big.Rat) (*PriceInfo, error) {
	price = num.OrZero(price)
	if price.Sign() < 0 || !price.Num().IsInt64() || !price.Denom().IsInt64() {
		return nil, &FieldError{"price", price.RatString(), "0 or more, in terms of at most 63 bits"}
	}
	return &PriceInfo{PricePerUnit: price.Num().Int64(), PixelsPerUnit: price.Denom().Int64()}, nil
}

// reader reads fixed-width fields and keeps the first error.
type reader struct {
	path string
	err  error
}

func (r *reader) fail(field string, got, want string) {
	if r.err == nil {
		r.err = &FieldError{r.path + "." + field, got, want}
	}
}

func (r *reader) address(field string, b []byte) common.Address {
	if len(b) != addressBytes {
		r.fail(field, bytesText(b), "an address of 20 bytes")
	}
	return common.BytesToAddress(b)
}

func (r *reader) hash(field string, b []byte) common.Hash {
	if len(b) != hashBytes {
		r.fail(field, bytesText(b), "a hash of 32 bytes")
	}
	return common.BytesToHash(b)
}

// uint reads a big-endian integer; leading zeros are allowed within the width.
func (r *reader) uint(field string, b []byte) *big.Int {
	if len(b) > uintBytes {
		r.fail(field, bytesText(b), "an integer of at most 32 bytes")
		return new(big.Int)
	}
	return new(big.Int).SetBytes(b)
}

func bytesText(b []byte) string { return fmt.Sprintf("%d bytes", len(b)) }

// uintToWire encodes an integer without leading zeros; 0 and nil are no bytes.
func uintToWire(v *big.Int) []byte {
	if v == nil {
		return nil
	}
	return v.Bytes()
}
