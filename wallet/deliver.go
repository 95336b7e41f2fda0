package wallet

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
)

// DeliverOptions are the parameters of Deliver.
type DeliverOptions struct {
	// Document has the tickets and their credentials.
	Document *format.Document
	// Headers limits the size of the HTTP headers.
	Headers *pay.HeaderLimits
	// InactiveOK delivers to a recipient that is not active, too.
	InactiveOK bool
}

// ErrNoCredentials is returned for a document without tickets or without credentials.
var ErrNoCredentials = errors.New("the document lacks tickets or their credentials")

const deliverAgain = "nothing was sent; create a new batch from fresh ticket params: pmctl ticket batch"

// Delivery is a batch that a recipient has accepted.
type Delivery struct {
	URL       string         `json:"url"`
	Recipient format.Address `json:"recipient"`
	Sender    format.Address `json:"sender"`
	Tickets   int            `json:"tickets"`
	format.TotalEV

	// Warnings are that the chain was not asked whether the params have expired, and that the
	// recipient's fresh params cannot be used.
	Warnings []format.Warning `json:"warnings,omitempty"`
}

// warn adds a warning, and shows it.
func (d *Delivery) warn(ui UI, code, message string) {
	d.Warnings = append(d.Warnings, format.Warning{Code: code, Message: message})
	ui.Note(message)
}

// Deliver posts a batch to the recipient at u, once. Expired tickets, and tickets for an inactive recipient
// or another chain, are refused before anything is sent; without a node only the credentials are
// checked. It returns ErrNoDocument, ErrNoCredentials, *wire.ExpiredTokenError, pm.ErrTicketParamsExpired, and the
// errors of policy.Limits.CheckCounterparty and pay.Client.DeliverBatch.
func Deliver(ctx context.Context, c Config, u pay.URL, o DeliverOptions) (*Delivery, error) {
	if o.Document == nil {
		return nil, ErrNoDocument
	}
	c = c.withDefaults()
	batch := o.Document.Batch
	if batch == nil || batch.TicketParams == nil || o.Document.Segment == nil || len(batch.SenderParams) == 0 {
		return nil, hint.With(ErrNoCredentials, "create it with pmctl ticket batch -o headers, or -o json before the params' auth token expires")
	}
	segment, err := wire.EncodeHeader(o.Document.Segment)
	if err != nil {
		return nil, err
	}
	var expired *wire.ExpiredTokenError
	if err := o.Document.Segment.GetAuthToken().Check(c.Now()); errors.As(err, &expired) {
		return nil, hint.With(expired, deliverAgain)
	}
	err = c.read(ctx, func(ctx context.Context, node *chain.Client) error {
		return stillHolds(ctx, node, batch, policy.Limits{InactiveOK: o.InactiveOK})
	})
	ev := batch.EV()
	ev.Mul(ev, big.NewRat(int64(len(batch.SenderParams)), 1))
	delivery := &Delivery{
		URL: u.String(), Recipient: format.Address(batch.Recipient), Sender: format.Address(batch.Sender),
		Tickets: len(batch.SenderParams), TotalEV: format.NewTotalEV(ev),
	}
	if errors.Is(err, ErrNoNode) {
		delivery.warn(c.UI, "not_checked", fmt.Sprintf("not checked on the chain whether the ticket params have expired: %v", ErrNoNode))
	} else if err != nil {
		return nil, err
	}
	defer c.UI.Progress(func() string { return fmt.Sprintf("delivering to %s", u) })()
	client := &pay.Client{Timeout: c.Timeout, Now: c.Now, Headers: o.Headers, OnRequest: c.OnPayRequest()}
	receipt, accepted, err := client.DeliverBatch(ctx, u, batch, segment)
	if err != nil && accepted > 0 {
		err = fmt.Errorf("%w; the recipient had accepted %d of the %d tickets before that", err, accepted, len(batch.SenderParams))
	}
	if err != nil {
		return nil, err
	}
	if receipt.NextErr != nil {
		delivery.warn(c.UI, "next_params", fmt.Sprintf("the tickets were accepted; the recipient's fresh params cannot be used: %v", receipt.NextErr))
	}
	return delivery, nil
}

// stillHolds fails for expired tickets, and for a recipient that is inactive or on another chain.
func stillHolds(ctx context.Context, node *chain.Client, batch *pm.TicketBatch, limits policy.Limits) error {
	params := *batch.TicketParams
	params.ExpirationParams = batch.TicketExpirationParams // the tickets' round also where the params name none
	facts, err := node.Facts(ctx, batch.Sender, pm.CounterpartyOf(&params))
	if err != nil {
		return err
	}
	if err := limits.CheckCounterparty(&params, facts); err != nil {
		return fmt.Errorf("nothing was sent: %w", err)
	}
	last, expiration := facts.LastSeenL1Block, params.ExpirationBlock
	// As when tickets are created: they must be valid beyond the next block.
	if expiration == nil || new(big.Int).Sub(expiration, last).Cmp(big.NewInt(1)) <= 0 {
		return hint.With(fmt.Errorf("%w: they expire at L1 block %v, the last one seen is %v", pm.ErrTicketParamsExpired, expiration, last), deliverAgain)
	}
	return nil
}
