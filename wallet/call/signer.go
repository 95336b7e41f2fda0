package call

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/remote/client"
	"github.com/pmctl/pmctl/wallet/store"
)

// RemoteSigner is the Purse of a machine without a key: a remote signer checks, records and signs.
// Its answers are held to the terms before they are sent on.
type RemoteSigner struct {
	client *client.Client
	sender common.Address
	terms  Terms
	only   []common.Address
	key    string
	now    func() time.Time
	paid   *big.Rat

	// unanswered is what the signer was asked to pay last if its answer was lost, else nil.
	unanswered *Challenge
}

var _ Purse = (*RemoteSigner)(nil)

// NewRemoteSigner asks a signer for its account. Payments are held to terms, and to the recipients
// in only, nil for any; key makes a retry of the first one safe, "" for none. now is the clock, nil
// for time.Now. It fails as client.Client.Sender does.
func NewRemoteSigner(ctx context.Context, c *client.Client, terms Terms, only []common.Address, key string, now func() time.Time) (*RemoteSigner, error) {
	if now == nil {
		now = time.Now
	}
	sender, err := c.Sender(ctx)
	if err != nil {
		return nil, err
	}
	return &RemoteSigner{client: c, sender: sender, terms: terms, only: only, key: key, now: now, paid: new(big.Rat)}, nil
}

// Sender implements Purse.
func (s *RemoteSigner) Sender() common.Address { return s.sender }

// Check implements Purse. The signer has limits of its own, which it does not tell.
func (s *RemoteSigner) Check(_ context.Context, due Due) error {
	offer := due.Offer
	if recipient := offer.Params.Recipient; len(s.only) > 0 && !slices.Contains(s.only, recipient) {
		return &pay.OtherRecipientError{URL: offer.URL.String(), Was: s.only[0], Now: recipient, Named: true}
	}
	return pay.CheckToken(offer.URL, offer.Info.GetAuthToken(), s.now())
}

// Pay implements Purse.
func (s *RemoteSigner) Pay(ctx context.Context, due Due) (*Payment, error) {
	// Of other ticket params it would sign another payment, and what it signed before would never be sent.
	if before := s.unanswered; before != nil {
		due.Challenge, s.unanswered = before, nil
	}
	if err := s.Check(ctx, due); err != nil {
		return nil, err
	}
	request := client.Request{Orchestrator: due.Encoded, ManifestID: due.ManifestID, App: due.App, Type: due.Type, Key: s.key}
	if most := s.terms.MaxPrice; most != nil && most.Wei != nil {
		const decimals = 18
		request.MaxPrice = &live.MaxPrice{Price: json.RawMessage(strconv.Quote(most.Wei.FloatString(decimals))), Currency: "wei", Unit: most.Type.Unit()}
	}
	answer, err := s.client.Pay(ctx, request)
	if errors.Is(err, client.ErrUnreachable) || errors.Is(err, client.ErrBusy) {
		s.unanswered = due.Challenge
	}
	if refused, ok := errors.AsType[*client.StatusError](err); ok && refused.Status == http.StatusUnprocessableEntity && s.key != "" {
		err = fmt.Errorf("the remote signer signed a payment for request %q before; it is not known whether the app answered, and nothing is paid again", s.key)
		return nil, hint.With(hint.Kind(ErrSignedBefore, err), "to call the app again, and pay again, pass another --request-id")
	}
	if err != nil {
		return nil, err
	}
	payment := new(wire.Payment)
	if err := proto.Unmarshal(answer.Payment, payment); err != nil {
		return nil, fmt.Errorf("%w: payment: %w", client.ErrAnswer, err)
	}
	batch, err := payment.Batch()
	switch params := due.Offer.Params; {
	case err != nil:
		return nil, fmt.Errorf("%w: payment: %w", client.ErrAnswer, err)
	case batch.Sender != s.sender || batch.Recipient != params.Recipient || batch.RecipientRandHash != params.RecipientRandHash || batch.EV().Cmp(params.EV()) != 0:
		return nil, fmt.Errorf("%w: it pays something else", client.ErrAnswer)
	}
	p := &Payment{
		Challenge: due.Challenge, Number: due.Number, Tickets: uint32(len(batch.SenderParams)), TicketEV: batch.EV(),
		Headers: pay.Headers{Payment: base64.StdEncoding.EncodeToString(answer.Payment), Segment: base64.StdEncoding.EncodeToString(answer.SegCreds)},
	}
	p.Paid = new(big.Rat).Mul(p.TicketEV, big.NewRat(int64(p.Tickets), 1))
	if err := s.terms.allow(s.paid, p.Paid); err != nil {
		return nil, err
	}
	s.paid.Add(s.paid, p.Paid)
	return p, s.bill(due, answer, p)
}

// bill fills in what the payment is for: what the signer's state says or, where that cannot be
// read, what is due by this machine's clock.
func (s *RemoteSigner) bill(due Due, answer *live.Answer, p *Payment) (err error) {
	session, unread := live.DecodeSession(answer.State.State)
	price := live.Price{PerUnit: due.Bill.Price.PerUnit, Pixels: due.Bill.Price.Pixels}
	if unread != nil || session.InitialPricePerUnit != price.PerUnit || session.InitialPixelsPerUnit != price.Pixels {
		p.Units, p.Fee = due.Bill.Units, due.Bill.Fee
		p.Session, err = due.Before.Next(due.request(due.At), due.Bill, due.ManifestID, due.Offer.Params.RecipientRandHash, p.Tickets, live.Auth{})
		return err
	}
	before := new(big.Rat)
	if due.Before != nil {
		before = due.Before.Balance
	}
	p.Session = session
	p.Fee = new(big.Rat).Add(before, p.Paid)
	p.Fee.Sub(p.Fee, session.Balance)
	units := new(big.Rat).Quo(p.Fee, price.Rat())
	p.Units = new(big.Int).Quo(units.Num(), units.Denom()).Int64()
	// The signer's clock is another one; the session is reckoned with this machine's.
	p.Session.LastUpdate, p.Session.OrchestratorAddress, p.Session.App = due.At.UTC(), due.request(due.At).Orchestrator, due.App
	return nil
}

// Recorded implements Purse: records are the signer's.
func (*RemoteSigner) Recorded(context.Context, int) (*Payment, error) { return nil, nil }

// Begin implements Purse.
func (*RemoteSigner) Begin(context.Context, *Payment) error { return nil }

// End implements Purse.
func (*RemoteSigner) End(context.Context, *Payment, store.State, string) error { return nil }

// Drop implements Purse.
func (*RemoteSigner) Drop(context.Context, *Payment) error { return errNotRecorded }
