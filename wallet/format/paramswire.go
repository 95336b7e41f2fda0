package format

import (
	"bytes"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ParamsFromInfo returns the document of a recipient's answer to sender, which asked at url and got
// it at now. storeID identifies the store that will reserve the params' nonces; "" for none. It
// returns *wire.MissingError and *wire.FieldError for an answer from which no tickets can be
// created.
func ParamsFromInfo(info *wire.OrchestratorInfo, sender common.Address, url, storeID string, now time.Time) (*Params, error) {
	offer, err := info.Params()
	if err != nil {
		return nil, err
	}
	p := &Params{
		Sender:       Address(sender),
		URL:          url,
		Transcoder:   info.GetTranscoder(),
		FetchedAt:    now.UTC().Truncate(time.Second),
		StoreID:      storeID,
		Capabilities: bytes.Clone(info.GetCapabilities()),
		WorkPrices:   workPrices(info),
		Unknown:      unknownOf(info),
	}
	if p.Offer, err = newTicketParams(offer); err != nil {
		return nil, err
	}
	p.Offer.Unknown = unknownOf(info.TicketParams)
	if e := p.Offer.ExpirationParams; e != nil {
		e.Unknown = unknownOf(info.TicketParams.ExpirationParams)
	}
	if price := info.PriceInfo; price != nil {
		p.Price = newPrice(price)
	}
	switch address := info.GetAddress(); len(address) {
	case 0:
	case common.AddressLength:
		p.Address = (*Address)(address)
	default:
		return nil, &wire.FieldError{Field: "address", Got: "another width", Want: "an address of 20 bytes"}
	}
	if t := info.AuthToken; t != nil {
		p.AuthToken = &AuthToken{Token: bytes.Clone(t.Token), SessionID: t.SessionId, Expiration: Int(t.Expiration), Unknown: unknownOf(t)}
	}
	_, err = p.TicketParams()
	return p, err
}

// TicketParams returns the params with their price. It returns the errors of Info, and
// *wire.FieldError for values that the protocol does not allow.
func (p *Params) TicketParams() (*pm.TicketParams, error) {
	info, err := p.Info()
	if err != nil {
		return nil, err
	}
	return info.Params()
}

// Info returns the recipient's answer. Capabilities, the auth token and unknown fields are
// unchanged. It returns *pm.FieldError or *wire.FieldError for params that were changed into an
// invalid answer.
func (p *Params) Info() (*wire.OrchestratorInfo, error) {
	offer, err := wire.FromTicketParams(p.Offer.pm())
	if err != nil {
		return nil, err
	}
	info := &wire.OrchestratorInfo{
		Transcoder:   p.Transcoder,
		TicketParams: offer,
		Capabilities: bytes.Clone(p.Capabilities),
	}
	setUnknown(info, p.Unknown)
	setUnknown(offer, p.Offer.Unknown)
	if e := p.Offer.ExpirationParams; e != nil {
		setUnknown(offer.ExpirationParams, e.Unknown)
	}
	if p.Price != nil {
		info.PriceInfo = p.Price.wire()
	}
	if p.Address != nil {
		info.Address = common.Address(*p.Address).Bytes()
	}
	if t := p.AuthToken; t != nil {
		info.AuthToken = &wire.AuthToken{Token: bytes.Clone(t.Token), SessionId: t.SessionID, Expiration: int64(t.Expiration)}
		setUnknown(info.AuthToken, t.Unknown)
	}
	return info, checkWhole(info)
}

// checkWhole refuses a message that would be decoded as another one, as when the unknown fields are
// known ones or no fields.
func checkWhole(info *wire.OrchestratorInfo) error {
	data, err := proto.Marshal(info)
	if err == nil {
		again := new(wire.OrchestratorInfo)
		if err = proto.Unmarshal(data, again); err == nil && proto.Equal(info, again) {
			return nil
		}
	}
	return &wire.FieldError{Field: "unknown", Got: "bytes that change the recipient's answer", Want: "protobuf fields that are not known here, in text of UTF-8"}
}

func newTicketParams(p *pm.TicketParams) (TicketParams, error) {
	if err := p.CheckFields(); err != nil {
		return TicketParams{}, err
	}
	faceValue, err := wei.FromBig(newUint(p.FaceValue).Big())
	if err != nil {
		return TicketParams{}, err
	}
	out := TicketParams{
		Recipient:         Address(p.Recipient),
		FaceValue:         Amount{faceValue},
		WinProb:           newUint(p.WinProb),
		RecipientRandHash: Hash(p.RecipientRandHash),
		Seed:              newUint(p.Seed),
		ExpirationBlock:   NewBigNum(p.ExpirationBlock),
	}
	if e := p.ExpirationParams; e != nil {
		out.ExpirationParams = newExpirationParams(*e)
	}
	return out, nil
}

func (p *TicketParams) pm() *pm.TicketParams {
	out := &pm.TicketParams{
		Recipient:         common.Address(p.Recipient),
		FaceValue:         p.FaceValue.Big(),
		WinProb:           p.WinProb.Big(),
		RecipientRandHash: common.Hash(p.RecipientRandHash),
		Seed:              p.Seed.Big(),
		ExpirationBlock:   p.ExpirationBlock.Big(),
	}
	if e := p.ExpirationParams; e != nil {
		out.ExpirationParams = e.pm()
	}
	return out
}

func newExpirationParams(e pm.TicketExpirationParams) *ExpirationParams {
	return &ExpirationParams{CreationRound: Num(e.CreationRound), CreationRoundBlockHash: Hash(e.CreationRoundBlockHash)}
}

func (e *ExpirationParams) pm() *pm.TicketExpirationParams {
	return &pm.TicketExpirationParams{CreationRound: int64(e.CreationRound), CreationRoundBlockHash: common.Hash(e.CreationRoundBlockHash)}
}

func newPrice(p *wire.PriceInfo) *Price {
	return &Price{PricePerUnit: Nat(p.PricePerUnit), PixelsPerUnit: Nat(p.PixelsPerUnit), Unknown: unknownOf(p)}
}

func (p *Price) wire() *wire.PriceInfo {
	out := &wire.PriceInfo{PricePerUnit: int64(p.PricePerUnit), PixelsPerUnit: int64(p.PixelsPerUnit)}
	setUnknown(out, p.Unknown)
	return out
}

func unknownOf(m proto.Message) Bytes { return Bytes(bytes.Clone(m.ProtoReflect().GetUnknown())) }

func setUnknown(m proto.Message, unknown Bytes) {
	m.ProtoReflect().SetUnknown(bytes.Clone(unknown))
}
