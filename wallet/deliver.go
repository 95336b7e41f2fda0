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

// DeliverOptions says how a batch is delivered.
type DeliverOptions struct {
	// Document has the tickets, and the credentials that go along with them.
	Document *format.Document

	// Headers bound the HTTP header of a delivery.
	Headers *pay.HeaderLimits

	// InactiveOK delivers to a recipient that is not active.
	InactiveOK bool
}

// ErrNoCredentials is returned for a batch that no recipient would take.
var ErrNoCredentials = errors.New("these are no tickets with their credentials")

const deliverAgain = "nothing was sent; make a new batch from fresh ticket params"

// Deliver hands a batch to the recipient at u, once, and returns what its tickets are worth,
// in wei, with the recipient's last receipt. Tickets that would be refused are not sent, as
// far as a node tells: where there is none, only the credentials are looked at. It fails with
// ErrNoCredentials, *wire.ExpiredTokenError and pm.ErrTicketParamsExpired, as
// policy.Limits.CheckCounterparty and as pay.Client.DeliverBatch do.
func Deliver(ctx context.Context, c Config, u pay.URL, o DeliverOptions) (*big.Rat, *pay.Receipt, error) {
	c = c.withDefaults()
	batch := o.Document.Batch
	if batch == nil || o.Document.Segment == nil || len(batch.SenderParams) == 0 {
		return nil, nil, hint.With(ErrNoCredentials, "make them with pmctl ticket batch -o headers, or -o json while the params' auth token holds")
	}
	segment, err := wire.EncodeHeader(o.Document.Segment)
	if err != nil {
		return nil, nil, err
	}
	var expired *wire.ExpiredTokenError
	if err := o.Document.Segment.GetAuthToken().Check(c.Now()); errors.As(err, &expired) {
		return nil, nil, hint.With(expired, deliverAgain)
	}
	err = c.read(ctx, func(ctx context.Context, node *chain.Client) error {
		return stillHolds(ctx, node, batch, policy.Limits{InactiveOK: o.InactiveOK})
	})
	if errors.Is(err, ErrNoNode) {
		c.UI.Note(fmt.Sprintf("not checked against the chain whether the ticket params still hold: %v", ErrNoNode))
	} else if err != nil {
		return nil, nil, err
	}
	defer c.UI.Progress(func() string { return fmt.Sprintf("delivering to %s", u) })()
	client := &pay.Client{Timeout: c.Timeout, Now: c.Now, Headers: o.Headers, OnRequest: c.OnPayRequest()}
	receipt, accepted, err := client.DeliverBatch(ctx, u, batch, segment)
	if err != nil && accepted > 0 {
		err = fmt.Errorf("%w; the first %d of the %d tickets were accepted before", err, accepted, len(batch.SenderParams))
	}
	worth := batch.EV()
	return worth.Mul(worth, big.NewRat(int64(len(batch.SenderParams)), 1)), receipt, err
}

// stillHolds fails for tickets that come too late by the chain, and for a recipient that is
// not active or on another chain.
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
	// As for making tickets: they hold beyond the next block.
	if expiration == nil || new(big.Int).Sub(expiration, last).Cmp(big.NewInt(1)) <= 0 {
		return hint.With(fmt.Errorf("%w: they expire at L1 block %v, the last one seen is %v", pm.ErrTicketParamsExpired, expiration, last), deliverAgain)
	}
	return nil
}
