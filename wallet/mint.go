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
	"github.com/pmctl/pmctl/wallet/store"
)

// Credentials say whether the segment header is made that goes along with tickets.
type Credentials int

// The choices of credentials.
const (
	// CredentialsIfAny makes them where the params' auth token still holds.
	CredentialsIfAny Credentials = iota
	// CredentialsNone makes none, unless the tickets are for a request: those can be asked
	// for again with credentials.
	CredentialsNone
	// CredentialsNeeded refuses params whose token does not hold.
	CredentialsNeeded
)

// Minting says what tickets to make.
type Minting struct {
	// Params are what they are made from. Adopt takes params that another store fetched.
	Params *format.Params
	Adopt  bool

	// URL is the recipient that is asked for fresh params, where Params is nil.
	URL pay.URL

	Amount      pay.Amount
	Credentials Credentials

	// Request names the batch, so that it is made once however often it is asked for; nil
	// for a batch of its own.
	Request *store.Request
}

// Batch is tickets whose nonces are taken, and nothing but the signatures missing.
type Batch struct {
	*pay.Tickets

	// Segment is the header that goes along with them, "" for none.
	Segment string

	signer pm.Signer
	signed atomic.Uint32
}

// Signed is how many of the tickets are signed. It may be called from any goroutine.
func (b *Batch) Signed() uint32 { return b.signed.Load() }

// Write signs the tickets and writes them as they come, in a format of package format. It
// fails as a format.BatchWriter does, and with what out fails with.
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

// Header is what a document of the batch begins with.
func (b *Batch) Header() (*format.BatchHeader, error) {
	header, err := format.NewBatchHeader(b.Sender, b.Params, b.Expiration, b.Nonces)
	if err == nil {
		header.Segment = b.Segment
	}
	return header, err
}

// Sign signs the tickets, in the order of their nonces, and hands each to emit.
func (b *Batch) Sign(ctx context.Context, emit func(pm.TicketSenderParams) error) error {
	return b.Tickets.Sign(ctx, b.signer, func(ticket pm.TicketSenderParams) error {
		b.signed.Add(1)
		return emit(ticket)
	})
}

// ErrOtherSender is returned for params that were made for another sender, ErrOtherStore
// for params whose nonces another store counts.
var (
	ErrOtherSender = errors.New("these ticket params are for another sender")
	ErrOtherStore  = errors.New("these ticket params were fetched by another store, which may have used their nonces")
)

// Mint takes the nonces of a batch. Whatever can be refused is refused first, then the key
// is opened, then nonces are taken, on disk, and only then can anything be signed. It fails
// as pay.Payer.Plan, pay.Pins.Check and pay.Client.Fetch do, and with ErrOtherSender and
// ErrOtherStore.
func (w *Wallet) Mint(ctx context.Context, m Minting) (*Batch, error) {
	if err := w.canAct(); err != nil {
		return nil, err
	}
	payer := w.payer()
	if b, err := w.mintedBefore(ctx, payer, m.Request); b != nil || err != nil {
		return b, err
	}
	var p *planned
	var err error
	if m.Params == nil {
		p, err = w.planFresh(ctx, payer, &m)
	} else {
		p, err = w.planGiven(ctx, payer, &m)
	}
	if err != nil {
		return nil, err
	}
	if err := w.ask(p, &m); err != nil {
		return nil, err
	}
	if p.url != (pay.URL{}) {
		if err := w.Pins().Keep(ctx, p.url, p.plan.Params.Recipient); err != nil {
			return nil, err
		}
	}
	tickets, err := payer.Reserve(ctx, p.plan)
	if err != nil {
		return nil, err
	}
	if tickets.Before != nil {
		return w.sameBatch(ctx, payer, tickets.Before, p.signer)
	}
	return &Batch{Tickets: tickets, Segment: p.segment, signer: p.signer}, nil
}

// planned is a batch that nothing speaks against, with the open key. No nonce has been
// taken yet.
type planned struct {
	plan    *pay.Plan
	url     pay.URL // of the recipient, where it is known
	info    *wire.OrchestratorInfo
	works   []wire.Work // that the params are for
	signer  pm.Signer
	segment string
}

// mintedBefore returns the batch that was made for a request, nil when none was.
func (w *Wallet) mintedBefore(ctx context.Context, payer *pay.Payer, request *store.Request) (*Batch, error) {
	before, err := w.requested(ctx, request)
	if err != nil || before == nil {
		return nil, err
	}
	if _, _, err := payer.Again(ctx, before); err != nil {
		return nil, err // before a passphrase is asked for
	}
	signer, err := w.unlock(ctx)
	if err != nil {
		return nil, err
	}
	return w.sameBatch(ctx, payer, before, signer)
}

// requested is the record of a request, nil where there is none.
func (w *Wallet) requested(ctx context.Context, request *store.Request) (*store.Record, error) {
	if request == nil {
		return nil, nil
	}
	records, err := w.ledger().Requested(ctx, w.Account.Address(), *request)
	return records.First(), err
}

// sameBatch is a batch that was made before.
func (w *Wallet) sameBatch(ctx context.Context, payer *pay.Payer, before *store.Record, signer pm.Signer) (*Batch, error) {
	recipe, tickets, err := payer.Again(ctx, before)
	if err != nil {
		return nil, err
	}
	w.note("request %s was made at %s: these are the same tickets", before.ID, before.At.Format(time.RFC3339))
	return &Batch{Tickets: tickets, Segment: recipe.Segment, signer: signer}, nil
}

// ask adds the credentials that go along with a batch, and the request that it is for.
func (w *Wallet) ask(p *planned, m *Minting) (err error) {
	if p.segment, err = w.segment(p, m); err != nil || m.Request == nil {
		return err
	}
	recipe := pay.Recipe{Info: p.info, Expiration: p.plan.Expiration, Segment: p.segment, Value: m.Amount.Value}
	m.Request.Record, err = recipe.Encode()
	p.plan.Request = m.Request
	return err
}

// planGiven plans a batch from params that are there already, and opens the key last.
func (w *Wallet) planGiven(ctx context.Context, payer *pay.Payer, m *Minting) (*planned, error) {
	p, err := w.proposeGiven(ctx, m, w.Pins(), func(params *pm.TicketParams) (*pay.Plan, error) {
		return payer.Plan(ctx, params, m.Amount)
	})
	if err != nil {
		return nil, err
	}
	p.signer, err = w.unlock(ctx)
	return p, err
}

// proposeGiven judges params that are there already, and has plan plan their batch.
func (w *Wallet) proposeGiven(ctx context.Context, m *Minting, pins pay.Pins, plan func(*pm.TicketParams) (*pay.Plan, error)) (*planned, error) {
	if err := w.checkDocument(m.Params, m.Adopt); err != nil {
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
		if err := pins.Check(ctx, p.url, params.Recipient); err != nil {
			return nil, err
		}
	}
	if p.plan, err = plan(params); err != nil {
		return nil, err
	}
	if w.Offline {
		w.noteUnchecked(p.plan)
	}
	return p, w.checkToken(p, m)
}

// planFresh plans a batch from fresh params, which a recipient gives for a signature.
func (w *Wallet) planFresh(ctx context.Context, payer *pay.Payer, m *Minting) (*planned, error) {
	if err := payer.CheckSender(ctx); err != nil {
		return nil, err
	}
	signer, err := w.unlock(ctx)
	if err != nil {
		return nil, err
	}
	offer, _, err := w.Ask(ctx, m.URL)
	if err != nil {
		return nil, err
	}
	if err := w.Pins().Check(ctx, m.URL, offer.Params.Recipient); err != nil {
		return nil, err
	}
	p := &planned{url: m.URL, info: offer.Info, works: offer.Works, signer: signer}
	if p.plan, err = payer.Plan(ctx, offer.Params, m.Amount); err != nil {
		return nil, err
	}
	return p, w.checkToken(p, m)
}

// checkDocument refuses params that are not this wallet's to use.
func (w *Wallet) checkDocument(params *format.Params, adopt bool) error {
	if sender := common.Address(params.Sender); sender != w.Account.Address() {
		return hint.With(fmt.Errorf("%w: %v; the account is %v", ErrOtherSender, sender, w.Account.Address()),
			"choose the account with --from %v, or fetch params of your own", sender)
	}
	if params.StoreID != "" && params.StoreID != w.store.ID() && !adopt {
		return hint.With(ErrOtherStore, "fetch fresh ticket params, or say --adopt if you know that no other store uses these")
	}
	return nil
}

// checkToken refuses an auth token that cannot be paid under, where that matters.
func (w *Wallet) checkToken(p *planned, m *Minting) error {
	if m.Credentials != CredentialsNeeded {
		return nil
	}
	return pay.CheckToken(p.url, p.info.GetAuthToken(), w.Now())
}

// segment returns the credentials that go along with a batch, "" for none. A request's are
// kept with it, for any format that it is made again in.
func (w *Wallet) segment(p *planned, m *Minting) (string, error) {
	now, token := w.Now(), p.info.GetAuthToken()
	unseen := m.Request == nil && m.Credentials == CredentialsNone
	if m.Credentials != CredentialsNeeded && (unseen || token.Check(now) != nil) {
		return "", nil
	}
	needs, err := wire.Needs(p.works)
	if err != nil {
		return "", err
	}
	header, err := pay.SegmentHeader(p.signer, token, now)
	if err != nil {
		return "", err
	}
	return wire.WithNeeds(header, needs)
}

// noteUnchecked says what was not looked at, since the chain was not asked.
func (w *Wallet) noteUnchecked(plan *pay.Plan) {
	for _, finding := range check.Params(w.Limits, plan.Params, nil, uint64(plan.Count)) {
		if finding.State == check.Skipped {
			w.note("not checked: %s: %s", finding.ID, finding.Found)
		}
	}
	w.note("not checked: round: whether %d is still one that recipients take", plan.Expiration.CreationRound)
}
