package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// LiveRequest asks for one payment of a live session, which a remote signer then signs.
type LiveRequest struct {
	live.Request

	// Client is the ID of the client that asks, "" for one that needs none. Credential is what
	// it was recognized by, and must still be the client's; the zero value is not checked.
	Client     string
	Credential Credential

	// State is the session that the client sent, verified; nil begins one. Encoded is its JSON, as
	// the client sent it; where that is missing, what is recorded is decoded again.
	State   *live.Session
	Encoded []byte

	// StateID is a NewStateID for the session if the request begins one; "" is a new one.
	StateID string

	// Key is the client's own name for a request that begins a session: under the same
	// name the same payment is returned again. "" is a request of its own.
	Key string

	// Info is the digest of the OrchestratorInfo, Params are its ticket params.
	Info   string
	Params *pm.TicketParams

	// URL is the orchestrator's. Where the sender has pinned an address to it, no other is paid.
	// "" is not known.
	URL string

	// Expiration is the round that the tickets belong to.
	Expiration pm.TicketExpirationParams

	// ManifestID and Capabilities go into the credentials.
	ManifestID   string
	Capabilities []byte

	Auth live.Auth

	// Cap is how many nonces the ticket params have; 0 is as many as there are numbers.
	Cap uint32

	// Allow applies the signer's own limits to the payment, whose tickets come to asked
	// after what was spent on the day. Nil allows everything.
	Allow func(bill *live.Bill, asked policy.Sum, spent policy.Spending) error

	// Usage returns the event about the payment. It is called with all of it but the event,
	// and with the session before it, nil for one that begins. Nil is no event.
	Usage func(p *LivePayment, bill *live.Bill, before *live.Session) ([]byte, error)
}

// CheckTexts fails with a live.Refusal for what is not recorded. Pay and Find do so, too, before the
// database sees it: there, an error of one request is one of all requests of a transaction.
func (r *LiveRequest) CheckTexts() error {
	return cmp.Or(CheckCapabilities(r.Capabilities), CheckText("ManifestID", r.ManifestID), CheckText("app", r.App), CheckText("Idempotency-Key", r.Key), CheckText("auth ID", r.Auth.ID))
}

// LivePayment is a payment that was recorded. With the OrchestratorInfo that was asked with it
// makes the answer: the same bytes however often that is signed.
type LivePayment struct {
	// Position counts the store's payments, in the order in which they were made.
	Position int64

	// Client is whose it is, Session the session after it, and Encoded the session's JSON.
	Client  string
	Session *live.Session
	Encoded []byte

	// Asked is the sequence number of the state that it was asked with; -1 for none.
	Asked int64

	// Info is the digest of the OrchestratorInfo.
	Info string

	// RecipientRandHash names the ticket params, Nonces are the tickets'.
	RecipientRandHash common.Hash
	Nonces            pm.NonceRange

	Expiration   pm.TicketExpirationParams
	ManifestID   string
	Capabilities []byte

	// Usage is the event about it.
	Usage []byte

	At time.Time

	// Again reports whether it was made before: nothing was spent now.
	Again bool
}

// LivePayments are what a sender's remote signers sign.
type LivePayments struct {
	chain  *Chain
	sender common.Address
	memory liveMemory
}

// LivePayments returns the payments of a sender's live sessions.
func (c *Chain) LivePayments(sender common.Address) *LivePayments {
	return &LivePayments{chain: c, sender: sender}
}

// LiveOutcome is what came of one of several requests: its payment, or why there is none.
type LiveOutcome struct {
	Payment *LivePayment
	Err     error
}

// Pay records the payment that a request asks for: it checks the client, advances the session,
// takes the nonces, books what they cost and writes the event, all in one transaction. When it
// returns that is on disk, and the payment may be signed.
//
// A state that was answered before gets the same payment again for the same OrchestratorInfo,
// and so does a key, whatever the client's terms are by then: only a client that was revoked or
// has expired gets nothing. For another OrchestratorInfo the session continues with what is recorded,
// as long as no newer state was seen.
//
// Pay fails with a live.Refusal, which may be *ClientError, *AllowanceError or ErrPinned, and
// as Chain.Reserve does. A refused request changes nothing.
func (p *LivePayments) Pay(ctx context.Context, r LiveRequest) (*LivePayment, error) {
	outcomes, err := p.PayAll(ctx, []LiveRequest{r})
	if err != nil {
		return nil, err
	}
	return outcomes[0].Payment, outcomes[0].Err
}

// Find returns what Pay recorded for the same request before, nil where that is nothing. It
// fails as Pay does.
func (p *LivePayments) Find(ctx context.Context, r LiveRequest) (*LivePayment, error) {
	return snapshot(ctx, p.chain.store, "look for a payment", func(tx *db.Tx) (*LivePayment, error) {
		if err := r.CheckTexts(); err != nil {
			return nil, err
		}
		b, err := p.load(tx, p.newLiveKnown(), []LiveRequest{r})
		if err != nil {
			return nil, err
		}
		client, err := b.accounts.get(r)
		if err != nil {
			return nil, err
		}
		_, again, err := b.find(r, client)
		return again, err
	})
}

// PayAll does what Pay does for each request, in order and in one transaction. A request that
// is refused leaves the others alone. Where the store fails, or ctx ends, PayAll does, and
// nothing was recorded.
func (p *LivePayments) PayAll(ctx context.Context, requests []LiveRequest) ([]LiveOutcome, error) {
	outcomes := make([]LiveOutcome, len(requests))
	var known *liveKnown
	err := p.chain.store.writeAs(ctx, false, func(tx *db.Tx, before, after markState) error {
		if known = p.memory.take(before); known == nil {
			known = p.newLiveKnown()
		}
		b, err := p.load(tx, known, requests)
		if err != nil {
			return err
		}
		known.at = before
		for i, r := range requests {
			payment, err := b.pay(r)
			if err != nil && !isLiveRefusal(err) {
				return err
			}
			outcomes[i] = LiveOutcome{payment, err}
		}
		if len(b.payments) == 0 {
			return errNothingTaken
		}
		b.write()
		known.at = after
		return nil
	})
	if err != nil && !errors.Is(err, errNothingTaken) {
		return nil, fmt.Errorf("record payments: %w", err)
	}
	p.memory.keep(known)
	return outcomes, nil
}

// pay returns the payment that was recorded for the request before, or a new one. Nothing is
// noted of a request that is refused.
func (b *liveBatch) pay(r LiveRequest) (*LivePayment, error) {
	if err := cmp.Or(r.Params.CheckFields(), r.CheckTexts()); err != nil {
		return nil, refused{err}
	}
	client, err := b.accounts.get(r)
	if err != nil {
		return nil, err
	}
	// What was paid is answered again, also if the client's terms have changed since.
	before, again, err := b.find(r, client)
	if again != nil || err != nil {
		return again, err
	}
	if err := b.checkPin(r); err != nil {
		return nil, err
	}
	if client != nil {
		if err := client.checkTerms(r.Params.Recipient, r.App); err != nil {
			return nil, err
		}
		ceilings, err := client.Terms.MaxPrices.Ceilings(r.Type, live.ClientMaximum)
		if err != nil {
			return nil, err
		}
		r.Ceilings = append(r.Ceilings[:len(r.Ceilings):len(r.Ceilings)], ceilings...)
	}
	bill, err := r.Bill(before)
	if err != nil {
		return nil, err
	}
	return b.take(r, client, before, bill)
}

// take makes a payment of the next nonces, within the limits of the signer and the client.
func (b *liveBatch) take(r LiveRequest, client *account, before *live.Session, bill *live.Bill) (*LivePayment, error) {
	hash := r.Params.RecipientRandHash
	count := b.counts[hash]
	if count.retired != nil {
		return nil, count.retired
	}
	// Another signer of this key may have used more than are known here.
	used := count.used
	if r.State != nil && r.State.PMSessionID == hash {
		used = max(used, r.State.SenderNonce)
	}
	nonces, err := pm.NextNonces(hash, used, bill.Tickets, r.Cap)
	if err != nil {
		return nil, err
	}
	page := b.books.page(b.sender, r.At)
	asked := policy.Cost(uint64(bill.Tickets), bill.TicketEV, r.Params.FaceValue)
	if r.Allow != nil {
		if err := r.Allow(bill, asked, page.spent); err != nil {
			return nil, refused{err}
		}
	}
	if client != nil {
		if err := client.allow(asked, b.complete); err != nil {
			return nil, err
		}
	}
	next, err := before.Next(r.Request, bill, cmp.Or(r.StateID, NewStateID()), hash, nonces.First+nonces.Count-1, r.Auth)
	if err != nil {
		return nil, err
	}
	payment := &LivePayment{
		Position: b.last + 1, Client: r.Client, Session: next, Asked: -1, Info: r.Info, RecipientRandHash: hash, Nonces: nonces,
		Expiration: r.Expiration, ManifestID: r.ManifestID, Capabilities: r.Capabilities, At: fromMillis(r.At.UnixMilli()),
	}
	if len(r.Capabilities) == 0 {
		payment.Capabilities = nil // as it is read again: empty ones are none
	}
	if r.State != nil {
		payment.Asked = int64(r.State.SequenceNumber)
	}
	if payment.Encoded, err = next.Encode(); err != nil {
		return nil, err
	}
	if r.Usage != nil {
		if payment.Usage, err = r.Usage(payment, bill, before); err != nil {
			return nil, refused{err}
		}
	}
	b.add(r, payment)
	page.add(r.Params.Recipient, asked)
	if client != nil {
		b.accounts.add(client, asked)
	}
	return payment, nil
}
