package call

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Challenge is what an orchestrator asks to be paid, and where.
type Challenge struct {
	// Offer has the ticket params, Encoded is the OrchestratorInfo as it came.
	Offer   *pay.Offer
	Encoded []byte

	// ManifestID is where the orchestrator books the payment: the session's ID.
	ManifestID string

	// PaymentURL is where a session is paid.
	PaymentURL string

	// MovedTo is where the orchestrator's redirect sent the request, and where it is paid; nil for
	// none.
	MovedTo *url.URL

	// App and Type are the app's name and how it is paid.
	App  string
	Type live.Type
}

// readChallenge decodes the body of a 402 answer to sender from the orchestrator at origin. It
// fails with pay.ErrMalformed and as pay.NewOffer does.
func readChallenge(body []byte, origin pay.URL, sender common.Address, at time.Time) (*Challenge, error) {
	var said struct {
		PaymentParams []byte `json:"payment_params"`
		ManifestID    string `json:"manifest_id"`
		PaymentURL    string `json:"payment_url"`
	}
	malformed := func(format string, args ...any) (*Challenge, error) {
		return nil, fmt.Errorf("%w (%s): %s", pay.ErrMalformed, origin, fmt.Sprintf(format, args...))
	}
	if err := json.Unmarshal(body, &said); err != nil || len(said.PaymentParams) == 0 {
		return malformed("status 402 without payment_params")
	}
	info := new(wire.OrchestratorInfo)
	if proto.Unmarshal(said.PaymentParams, info) != nil {
		return malformed("payment_params is not an OrchestratorInfo")
	}
	offer, err := pay.NewOffer(origin, sender, at, info)
	if err != nil {
		return nil, err
	}
	switch session := info.GetAuthToken().GetSessionId(); {
	case said.ManifestID == "" || said.ManifestID != session:
		return malformed("manifest_id %.40q is not the session of its auth token, %.40q", said.ManifestID, session)
	case !(live.Price{PerUnit: info.GetPriceInfo().GetPricePerUnit(), Pixels: info.GetPriceInfo().GetPixelsPerUnit()}).IsPositive():
		return malformed("price_info has no price")
	}
	if said.PaymentURL != "" {
		if err := payable(said.PaymentURL, origin); err != nil {
			return nil, err
		}
	}
	return &Challenge{Offer: offer, Encoded: said.PaymentParams, ManifestID: said.ManifestID, PaymentURL: said.PaymentURL}, nil
}

// payable fails with pay.ErrMalformed unless payments may be sent to a URL, as pay.TranscoderOf
// decides for a transcoder.
func payable(text string, origin pay.URL) error {
	u, err := url.Parse(text)
	if err == nil {
		_, err = pay.TranscoderOf(origin, u.Scheme+"://"+u.Host)
	}
	if err != nil {
		return fmt.Errorf("payment_url: %w", err)
	}
	return nil
}

// price is the orchestrator's, with both terms as it sent them.
func (c *Challenge) price() live.Price {
	return live.Price{PerUnit: c.Offer.Info.GetPriceInfo().GetPricePerUnit(), Pixels: c.Offer.Info.GetPriceInfo().GetPixelsPerUnit()}
}

// request asks for a payment until a time.
func (c *Challenge) request(at time.Time) live.Request {
	return live.Request{
		Orchestrator: common.BytesToAddress(c.Offer.Info.GetAddress()), App: c.App, Type: c.Type,
		Price: c.price(), TicketEV: c.Offer.Params.EV(), At: at,
	}
}

// unbillable is an error of its bill. What the signer protocol refuses is the orchestrator's: the request is
// the caller's own.
func (c *Challenge) unbillable(err error) error {
	var many *live.TooManyTicketsError
	var params *live.ParamsError
	switch {
	case errors.Is(err, live.ErrNoTickets):
		return err
	case errors.As(err, &many):
		return hint.With(hint.Kind(policy.ErrUnacceptable, fmt.Errorf("the fee of %s takes %v tickets of %s, and a payment can have at most %d: the tickets of %s are too small for its price",
			wei.Format(many.Fee), many.Tickets, wei.Format(c.Offer.Params.EV()), live.MaxTickets, c.Offer.URL)), "compare them with its prices: pmctl doctor %s", c.Offer.URL)
	case errors.As(err, &params):
		return fmt.Errorf("%w (%s): %w", pay.ErrMalformed, c.Offer.URL, params.Err)
	case errors.As(err, new(live.Refusal)):
		return fmt.Errorf("%w (%s): %w", pay.ErrMalformed, c.Offer.URL, err)
	}
	return err
}

// renewed is the challenge with fresh ticket params of the same recipient and session. It fails with
// *pay.OtherRecipientError and pay.ErrMalformed.
func (c *Challenge) renewed(offer *pay.Offer, encoded []byte) (*Challenge, error) {
	if was, now := c.Offer.Params.Recipient, offer.Params.Recipient; was != now {
		return nil, &pay.OtherRecipientError{URL: c.Offer.URL.String(), Was: was, Now: now}
	}
	if session := offer.Info.GetAuthToken().GetSessionId(); session != c.ManifestID {
		return nil, fmt.Errorf("%w (%s): ticket params of session %.40q for a payment of session %.40q", pay.ErrMalformed, c.Offer.URL, session, c.ManifestID)
	}
	next := *c
	next.Offer, next.Encoded = offer, encoded
	return &next, nil
}
