package live

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/signer"
)

// Order is a payment that may be signed: its nonces are reserved. Signatures are
// deterministic (RFC 6979), so that the same order gives the same answer again.
type Order struct {
	// Info is the orchestrator's offer, and Params are its ticket params.
	Info   *wire.OrchestratorInfo
	Params *pm.TicketParams

	// Expiration is the round that the tickets belong to.
	Expiration pm.TicketExpirationParams

	// Nonces are the tickets', one each.
	Nonces pm.NonceRange

	// ManifestID is where the orchestrator books the payment.
	ManifestID string

	// Capabilities are the request's, encoded; nil for none.
	Capabilities []byte

	// State is the session after the payment, encoded.
	State []byte

	// CredentialsKey signs the credentials as the payment's key does; nil is that key.
	CredentialsKey signer.Source
}

// Answer is a signed payment. Its JSON is the protocol's answer.
type Answer struct {
	// Payment is an encoded wire.Payment, SegCreds an encoded wire.SegData.
	Payment  []byte `json:"payment"`
	SegCreds []byte `json:"segCreds"`

	// State is what the next request of the session must bring.
	State State `json:"state"`
}

// Sign signs the payment, its credentials and the session. It fails as pm.MintSerially and
// wire.PaymentFor do.
func (o *Order) Sign(ctx context.Context, key signer.Source) (*Answer, error) {
	batch := &pm.TicketBatch{
		TicketParams:           o.Params,
		TicketExpirationParams: &o.Expiration,
		Sender:                 key.Address(),
		SenderParams:           make([]*pm.TicketSenderParams, 0, o.Nonces.Count),
	}
	signs := signer.ForPM(ctx, key)
	err := pm.MintSerially(ctx, signs, o.Params, &o.Expiration, o.Nonces, func(ticket pm.TicketSenderParams) error {
		ticket.Sig = append([]byte(nil), ticket.Sig...)
		batch.SenderParams = append(batch.SenderParams, &ticket)
		return nil
	})
	if err != nil {
		return nil, err
	}
	payment, err := wire.PaymentFor(batch)
	if err != nil {
		return nil, err
	}
	payment.ExpectedPrice = o.Info.GetPriceInfo() // whole, with the fields that are only carried
	credentials := signs
	if o.CredentialsKey != nil {
		credentials = signer.ForPM(ctx, o.CredentialsKey)
	}
	segment, err := wire.Credentials(credentials, o.ManifestID, o.Info.GetAuthToken(), o.Capabilities)
	if err != nil {
		return nil, err
	}
	answer := new(Answer)
	if answer.Payment, err = encode(payment); err != nil {
		return nil, err
	}
	if answer.SegCreds, err = encode(segment); err != nil {
		return nil, err
	}
	answer.State, err = signState(ctx, key, o.State)
	return answer, err
}

func encode(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// tokenMargin is how long before its end an auth token is replaced.
const tokenMargin = 3 * time.Minute

// CheckToken fails with ErrRefresh for an auth token that ends within three minutes of now, and
// with *ParamsError where there is none.
func CheckToken(token *wire.AuthToken, now time.Time) error {
	if token == nil {
		return &ParamsError{errNoToken}
	}
	if !now.Add(tokenMargin).Before(token.Expires()) {
		return ErrRefresh
	}
	return nil
}
