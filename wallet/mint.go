package wallet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// Credentials selects whether a batch gets the segment header that is sent with its tickets.
type Credentials int

// The choices.
const (
	// CredentialsIfAny adds them if the params' auth token has not expired.
	CredentialsIfAny Credentials = iota
	// CredentialsNone adds none, unless the tickets have a request ID: a retry of the request may
	// ask for another format.
	CredentialsNone
	// CredentialsNeeded refuses params whose token has expired.
	CredentialsNeeded
)

// MintOptions are the parameters of Mint.
type MintOptions struct {
	// Params are the ticket params to use. Adopt accepts params that another store fetched.
	Params *format.Params
	Adopt  bool

	// Recipient is asked for params if Params is nil.
	Recipient pay.Target

	Amount      pay.Amount
	Credentials Credentials

	// RequestID makes the batch idempotent: a repeated request returns the same tickets. "" for a
	// new batch. Refetched reports whether a retry may come with newly fetched Params; then only the
	// recipient must be the same.
	RequestID string
	Refetched bool

	request *store.Request
}

// Batch is a number of tickets whose nonces are reserved and which can be signed.
type Batch struct {
	*pay.Tickets

	// URL is where the recipient was asked, Transcoder where it accepts payments; zero if unknown.
	URL, Transcoder pay.URL

	// Segment is the header to send with them; "" for none.
	Segment string

	key    signer.Source
	signed atomic.Uint32
}

// Signed returns how many tickets are signed. It is safe for concurrent use.
func (b *Batch) Signed() uint32 { return b.signed.Load() }

// Write signs the tickets and writes them one by one in the given format of package format. It
// returns the errors of format.BatchWriter and of out.
func (b *Batch) Write(ctx context.Context, out io.Writer, form string) error {
	header, err := b.Header()
	if err != nil {
		return err
	}
	writer, err := format.NewBatchWriter(out, form)
	if err != nil {
		return err
	}
	if err := writer.Begin(header); err != nil {
		return err
	}
	if err := b.Sign(ctx, writer.Ticket); err != nil {
		return err
	}
	return writer.End()
}

// Header returns the beginning of the batch's document.
func (b *Batch) Header() (*format.BatchHeader, error) {
	header, err := format.NewBatchHeader(b.Sender, b.Params, b.Expiration, b.Nonces)
	if err != nil {
		return nil, err
	}
	header.Segment = b.Segment
	header.URL = urlText(b.URL)
	if b.Transcoder != b.URL {
		header.Transcoder = urlText(b.Transcoder)
	}
	return header, nil
}

func urlText(u pay.URL) string {
	if u == (pay.URL{}) {
		return ""
	}
	return u.String()
}

// Sign signs the tickets in the order of their nonces, and passes each to emit.
func (b *Batch) Sign(ctx context.Context, emit func(pm.TicketSenderParams) error) error {
	return b.Tickets.Sign(ctx, b.key, func(ticket pm.TicketSenderParams) error {
		b.signed.Add(1)
		return emit(ticket)
	})
}

// ErrOtherSender is returned for params that were fetched for another sender, ErrOtherStore for
// params whose nonces another store manages.
var (
	ErrOtherSender = errors.New("the ticket params are for another sender")
	ErrOtherStore  = errors.New("the ticket params were fetched with another store, which may have used their nonces")
)

// minter creates batches of one account's tickets.
type minter struct {
	*Wallet
	look  *chainView
	payer *pay.Payer
	pins  pay.Pins
	// plan plans a batch. key is open.
	plan func(context.Context, *pm.TicketParams, pay.Amount) (*pay.Plan, error)
	key  signer.Source
}

// planned is a batch that passed all checks. Its nonces are not reserved yet.
type planned struct {
	*pay.Plan
	url, transcoder pay.URL        // the recipient's, if known
	only            common.Address // by which the user named the recipient; zero for none
	info            *wire.OrchestratorInfo
	works           []wire.Work // the works the params were fetched for
	segment         string
}

// Mint reserves the nonces of a batch. All checks come first, then the key is opened, then the
// nonces are reserved on disk; only after that can a ticket be signed. It returns the errors of
// pay.Payer.Plan, pay.Pins.Check and pay.Client.Fetch, pay.ErrNoTarget, ErrNotRegistered,
// ErrOtherSender, ErrOtherStore and ErrRequestID.
func (w *Wallet) Mint(ctx context.Context, m MintOptions) (*Batch, error) {
	if err := w.requireAccount(); err != nil {
		return nil, err
	}
	digest, err := m.digest()
	if err != nil {
		return nil, err
	}
	if m.request, err = named(m.RequestID, digest); err != nil {
		return nil, err
	}
	look := chainView{Wallet: w}
	b := &minter{Wallet: w, look: &look, payer: look.payer(), pins: w.pins(m.Recipient)}
	b.plan = b.payer.Plan
	before, err := b.requested(ctx, m.request)
	if err != nil {
		return nil, err
	}
	if before != nil {
		if _, _, err := b.payer.Again(ctx, before); err != nil {
			return nil, err // before asking for a passphrase
		}
		if err := b.unlock(ctx); err != nil {
			return nil, err
		}
		return b.again(ctx, before)
	}
	p, err := b.propose(ctx, &m)
	if err != nil {
		return nil, err
	}
	if err := b.complete(ctx, p, &m); err != nil {
		return nil, err
	}
	if p.url != (pay.URL{}) {
		if err := b.pins.Keep(ctx, p.url, p.Params.Recipient); err != nil {
			return nil, err
		}
	}
	tickets, err := b.payer.Reserve(ctx, p.Plan)
	if err != nil {
		return nil, err
	}
	if tickets.Before != nil {
		return b.again(ctx, tickets.Before)
	}
	return b.batch(tickets, p), nil
}

// batch returns a planned batch whose nonces are reserved.
func (b *minter) batch(tickets *pay.Tickets, p *planned) *Batch {
	return &Batch{Tickets: tickets, URL: p.url, Transcoder: p.transcoder, Segment: p.segment, key: b.key}
}

func (b *minter) unlock(ctx context.Context) (err error) {
	b.key, err = b.Account.Unlock(ctx)
	return err
}

// requested returns the record of a request; nil if there is none.
func (b *minter) requested(ctx context.Context, request *store.Request) (*store.Record, error) {
	if request == nil {
		return nil, nil
	}
	records, err := b.ledger().Requested(ctx, b.Account.Address(), *request)
	return records.First(), err
}

func (b *minter) again(ctx context.Context, before *store.Record) (*Batch, error) {
	recipe, tickets, err := b.payer.Again(ctx, before)
	if err != nil {
		return nil, err
	}
	b.note("request %s was made at %s: returning the same tickets", before.ID, before.At.Format(time.RFC3339))
	return b.repeated(recipe, tickets), nil
}

// repeated returns a batch that was created before, as its recipe has it.
func (b *minter) repeated(recipe *pay.Recipe, tickets *pay.Tickets) *Batch {
	batch := &Batch{Tickets: tickets, Segment: recipe.Segment, key: b.key}
	u, err := pay.ParseURL(recipe.URL)
	if err != nil { // recipes of earlier versions have none
		return batch
	}
	if transcoder, err := pay.TranscoderOf(u, recipe.Info.GetTranscoder()); err == nil {
		batch.URL, batch.Transcoder = u, transcoder
	}
	return batch
}

// propose plans a batch and opens the key: after the checks if the params are given, and before
// fetching params otherwise, since that takes a signature.
func (b *minter) propose(ctx context.Context, m *MintOptions) (*planned, error) {
	if m.Params != nil {
		p, err := b.given(ctx, m)
		if err != nil {
			return nil, err
		}
		return p, b.unlock(ctx)
	}
	if err := b.payer.CheckSender(ctx); err != nil {
		return nil, err
	}
	u, err := b.look.locate(ctx, m.Recipient, nil)
	if err != nil {
		return nil, err
	}
	if err := b.unlock(ctx); err != nil {
		return nil, err
	}
	return b.fetched(ctx, u, m)
}

// fetched plans a batch on params that the recipient at u is asked for. The key is open.
func (b *minter) fetched(ctx context.Context, u pay.URL, m *MintOptions) (*planned, error) {
	pins := b.pins
	pins.Only = m.Recipient.Address
	offers, err := b.ask(ctx, []pay.URL{u}, nil)
	if err != nil {
		return nil, err
	}
	offer := offers[0].Offer
	if err := offers[0].Err; err != nil {
		return nil, err
	}
	if err := pins.Check(ctx, u, offer.Params.Recipient); err != nil {
		return nil, err
	}
	p := &planned{url: u, transcoder: offer.Transcoder, only: m.Recipient.Address, info: offer.Info, works: offer.Works}
	if p.Plan, err = b.plan(ctx, offer.Params, m.Amount); err != nil {
		return nil, err
	}
	return p, b.checkToken(p, m)
}

func (b *minter) given(ctx context.Context, m *MintOptions) (*planned, error) {
	if err := b.checkDocument(m.Params, m.Adopt); err != nil {
		return nil, err
	}
	info, err := m.Params.Info()
	if err != nil {
		return nil, err
	}
	params, err := info.Params()
	if err != nil {
		return nil, err
	}
	p := &planned{info: info}
	if p.works, err = m.Params.WorksAsked(); err != nil {
		return nil, err
	}
	if m.Params.URL != "" {
		if p.url, err = pay.ParseURL(m.Params.URL); err != nil {
			return nil, err
		}
		if err := b.pins.Check(ctx, p.url, params.Recipient); err != nil {
			return nil, err
		}
	}
	if p.transcoder, err = pay.TranscoderOf(p.url, info.GetTranscoder()); err != nil {
		return nil, err
	}
	if p.Plan, err = b.plan(ctx, params, m.Amount); err != nil {
		return nil, err
	}
	if b.Offline {
		b.noteUnchecked(p.Plan)
	}
	return p, b.checkToken(p, m)
}

// complete adds the batch's credentials and the record of its request.
func (b *minter) complete(ctx context.Context, p *planned, m *MintOptions) (err error) {
	if p.segment, err = b.segment(ctx, p, m); err != nil || m.request == nil {
		return err
	}
	recipe := pay.Recipe{Info: p.info, URL: urlText(p.url), Expiration: p.Expiration, Segment: p.segment, Value: m.Amount.Value}
	m.request.Record, err = recipe.Encode()
	p.Request = m.request
	return err
}

// checkDocument refuses params of another sender or store.
func (b *minter) checkDocument(params *format.Params, adopt bool) error {
	if sender := common.Address(params.Sender); sender != b.Account.Address() {
		return hint.With(fmt.Errorf("%w: they are for %v, your account is %v", ErrOtherSender, sender, b.Account.Address()),
			"choose the account with --from %v, or fetch your own with pmctl params fetch", sender)
	}
	if params.StoreID != "" && params.StoreID != b.store.ID() && !adopt {
		return hint.With(ErrOtherStore, "fetch fresh ones with pmctl params fetch, or pass --adopt if no other store uses these")
	}
	return nil
}

// checkToken refuses an expired auth token if credentials are needed.
func (b *minter) checkToken(p *planned, m *MintOptions) error {
	if m.Credentials != CredentialsNeeded {
		return nil
	}
	return pay.CheckToken(p.url, p.info.GetAuthToken(), b.Now())
}

// segment returns the credentials of a batch, "" for none. Those of a request are always created
// and stored with it, for retries in another format.
func (b *minter) segment(ctx context.Context, p *planned, m *MintOptions) (string, error) {
	now, token := b.Now(), p.info.GetAuthToken()
	unseen := m.request == nil && m.Credentials == CredentialsNone
	if m.Credentials != CredentialsNeeded && (unseen || token.Check(now) != nil) {
		return "", nil
	}
	needs, err := wire.Needs(p.works)
	if err != nil {
		return "", err
	}
	header, err := pay.SegmentHeader(ctx, b.key, token, now)
	if err != nil {
		return "", err
	}
	return wire.WithNeeds(header, needs)
}

// noteUnchecked notes the checks that need the chain.
func (b *minter) noteUnchecked(plan *pay.Plan) {
	for _, finding := range check.Params(b.Limits, plan.Params, nil, uint64(plan.Count)) {
		if finding.State == check.Skipped {
			b.note("not checked: %s: %s", finding.ID, finding.Found)
		}
	}
	b.note("not checked: round: whether recipients still accept round %d", plan.Expiration.CreationRound)
}
