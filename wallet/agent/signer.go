package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// Signer is an account whose key an agent has: it signs, reserves nonces and reads the chain
// through the agent. It is not safe for concurrent use.
type Signer struct {
	client *Client
	status *Status

	// MaxHeadAge is how old the agent's facts may be, if less than the agent's own limit; 0 is the
	// agent's. Offline makes no checks against the chain.
	MaxHeadAge time.Duration
	Offline    bool

	// InactiveOK allows a recipient that is not active.
	InactiveOK bool

	// round is the round that tickets are planned for.
	round pm.Facts
	// signed are signatures for reserved nonces.
	signed map[reservation][]byte
}

// reservation is a set of a session's nonces that were reserved together.
type reservation struct {
	session common.Hash
	nonces  pm.NonceRange
}

var (
	_ pay.TicketSigner = (*Signer)(nil)
	_ pay.Remembering  = (*Signer)(nil)
)

// NewSigner returns the account of the agent with the given status.
func NewSigner(client *Client, status *Status) *Signer {
	return &Signer{client: client, status: status, signed: make(map[reservation][]byte)}
}

// Of returns the agent that has an account's key; nil if the key is opened here.
func Of(account *signer.Account) *Signer {
	s, _ := account.Source().(*Signer)
	return s
}

// Address is the account's, as the agent told it first.
func (s *Signer) Address() common.Address { return common.Address(s.status.Account) }

// Close closes the connection. The agent keeps its key.
func (s *Signer) Close() { s.client.Close() }

// Sign implements signer.Source for the one message that the agent can compute itself, a request
// for ticket params. It returns ErrMessage for any other.
func (s *Signer) Sign(ctx context.Context, message []byte) ([]byte, error) {
	if !bytes.Equal(message, wire.OrchestratorRequestMessage(s.Address())) {
		return nil, ErrMessage
	}
	answer, err := post[orchestratorRequest](ctx, s.client, pathRequest, kindRequest, &orchestratorRequest{Sender: s.status.Account}, kindRequest)
	if err != nil {
		return nil, err
	}
	if answer.Signature == nil {
		return nil, fmt.Errorf("the agent at %s answers without a signature", s.client.path)
	}
	return answer.Signature[:], nil
}

// SegmentHeader implements pay.TicketSigner.
func (s *Signer) SegmentHeader(ctx context.Context, token *wire.AuthToken) (string, error) {
	raw, err := proto.Marshal(token)
	if err != nil {
		return "", err
	}
	answer, err := post[segmentHeader](ctx, s.client, pathCredentials, kindCredentials, &credentials{Sender: s.status.Account, Token: raw}, kindHeader)
	if err != nil {
		return "", err
	}
	return answer.Header, nil
}

// Facts implements pay.Chain: the agent answers, usually from its cache.
func (s *Signer) Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error) {
	query := make(url.Values)
	if s.MaxHeadAge > 0 {
		query.Set("max_age", s.MaxHeadAge.String())
	}
	said, _, err := s.ask(ctx, query, sender, about)
	return said, err
}

// Renew implements pay.Remembering: the agent asks the chain.
func (s *Signer) Renew(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, time.Duration, error) {
	return s.ask(ctx, url.Values{"renew": {"true"}}, sender, about)
}

func (s *Signer) ask(ctx context.Context, query url.Values, sender common.Address, about []pm.Counterparty) (pm.Facts, time.Duration, error) {
	if sender != s.Address() {
		return pm.Facts{}, 0, Mismatch("account", sender, s.Address())
	}
	document, err := s.client.facts(ctx, query, about)
	if err != nil {
		return pm.Facts{}, 0, err
	}
	said, err := s.planFor(document, about)
	return said, time.Duration(document.Age) * time.Millisecond, err
}

// planFor plans tickets for the facts' round. The facts must include what was asked about: what an
// older agent does not report is not assumed.
func (s *Signer) planFor(document *factsDocument, about []pm.Counterparty) (pm.Facts, error) {
	said, err := document.facts()
	if err == nil && !said.Knows(about...) {
		err = &OtherVersionError{s.client.path, errors.New("it does not report whether the recipient is active")}
	}
	if err == nil {
		s.round = said
	}
	return said, err
}

// ReserveAll implements pay.Nonces, with one request for each Spend: the agent reserves the nonces
// within its own limits, and signs. The signatures are kept here for SignTickets. It fails as a
// whole if ctx ends; nonces reserved by then stay unused.
func (s *Signer) ReserveAll(ctx context.Context, storeID string, spends []store.Spend) ([]store.Outcome, error) {
	outcomes := make([]store.Outcome, len(spends))
	for i, spend := range spends {
		made, err := s.reserve(ctx, storeID, spend)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		outcomes[i] = store.Outcome{Made: made, Err: err}
	}
	return outcomes, nil
}

func (s *Signer) reserve(ctx context.Context, storeID string, spend store.Spend) (*store.Made, error) {
	params, err := s.params(spend.Params)
	if err != nil {
		return nil, err
	}
	round := s.round.Expiration(spend.Params)
	o := s.order(storeID)
	if spend.Ahead > math.MaxUint32 {
		return nil, fmt.Errorf("%d tickets to follow are more than can be counted", spend.Ahead)
	}
	o.Params, o.Count, o.Ahead = params, spend.Count, uint32(spend.Ahead)
	o.Round = &format.ExpirationParams{CreationRound: format.Num(round.CreationRound), CreationRoundBlockHash: format.Hash(round.CreationRoundBlockHash)}
	if r := spend.Request; r != nil {
		o.Request = &namedRequest{ID: r.ID, Digest: r.Digest, Record: r.Record, After: r.After, Drawn: r.Drawn}
	}
	answer, err := post[signedTickets](ctx, s.client, pathTickets, kindOrder, o, kindTickets)
	if err != nil {
		return nil, err
	}
	made := &store.Made{Nonces: pm.NonceRange{First: answer.FirstNonce, Count: answer.Count}}
	if last := uint64(answer.FirstNonce) + uint64(answer.Count) - 1; answer.FirstNonce == 0 || answer.Count == 0 || last > math.MaxUint32 {
		return nil, fmt.Errorf("the agent at %s answers with %d nonces from %d", s.client.path, answer.Count, answer.FirstNonce)
	}
	if answer.Before && o.Request == nil {
		return nil, fmt.Errorf("the agent at %s answers for a request, but none was sent", s.client.path)
	}
	if answer.Before {
		made.Before = &store.Record{ID: o.Request.ID, Nonces: made.Nonces}
		return made, nil
	}
	if answer.Count != spend.Count {
		return nil, fmt.Errorf("the agent at %s answers with %d tickets, not %d", s.client.path, answer.Count, spend.Count)
	}
	s.signed[reservation{spend.Params.RecipientRandHash, made.Nonces}] = answer.Signatures
	return made, nil
}

func (s *Signer) order(storeID string) *order {
	o := &order{ChainID: s.status.ChainID, StoreID: storeID, Offline: s.Offline, InactiveOK: s.InactiveOK}
	if s.MaxHeadAge > 0 {
		o.MaxHeadAge = format.Num(max(1, s.MaxHeadAge.Milliseconds()))
	}
	return o
}

func (s *Signer) params(p *pm.TicketParams) (*format.Params, error) {
	offer, err := wire.FromTicketParams(p)
	if err != nil {
		return nil, err
	}
	price, err := wire.FromPrice(p.PricePerPixel)
	if err != nil {
		return nil, err
	}
	info := &wire.OrchestratorInfo{TicketParams: offer, PriceInfo: price}
	return format.ParamsFromInfo(info, s.Address(), "", "", time.Time{})
}

// SignTickets implements pay.TicketSigner.
func (s *Signer) SignTickets(ctx context.Context, t *pay.Tickets, emit func(pm.TicketSenderParams) error) error {
	signatures, ok := s.take(t)
	if !ok {
		var err error
		if signatures, err = s.again(ctx, t); err != nil {
			return err
		}
	}
	if len(signatures) != sigLength*int(t.Nonces.Count) {
		return fmt.Errorf("the agent at %s answers with %d bytes for %d signatures of %d", s.client.path, len(signatures), t.Nonces.Count, sigLength)
	}
	if err := s.check(t, signatures); err != nil {
		return err
	}
	for i := range t.Nonces.Count {
		if err := ctx.Err(); err != nil {
			return err
		}
		sig := signatures[:sigLength:sigLength]
		signatures = signatures[sigLength:]
		if err := emit(pm.TicketSenderParams{SenderNonce: t.Nonces.First + i, Sig: sig}); err != nil {
			return err
		}
	}
	return nil
}

// take returns the signatures of tickets, which may be a part of those reserved together, and drops
// them once all are taken.
func (s *Signer) take(t *pay.Tickets) (signatures []byte, ok bool) {
	end := t.Nonces.First + t.Nonces.Count
	for r, kept := range s.signed {
		lastOf := r.nonces.First + r.nonces.Count
		if r.session != t.Params.RecipientRandHash || t.Nonces.First < r.nonces.First || end > lastOf {
			continue
		}
		if end == lastOf {
			delete(s.signed, r)
		}
		if len(kept) != sigLength*int(r.nonces.Count) {
			return kept, true // which SignTickets refuses
		}
		return kept[sigLength*(t.Nonces.First-r.nonces.First) : sigLength*(end-r.nonces.First)], true
	}
	return nil, false
}

// check verifies that the agent has signed these tickets and no similar ones: what is true of the
// last is true of those before it.
func (s *Signer) check(t *pay.Tickets, signatures []byte) error {
	last := pm.NewTicket(t.Params, &t.Expiration, t.Sender, t.Nonces.First+t.Nonces.Count-1)
	hash := last.Hash()
	if !new(pm.DefaultSigVerifier).Verify(t.Sender, hash[:], signatures[len(signatures)-sigLength:]) {
		return fmt.Errorf("the agent at %s answers with signatures of other tickets", s.client.path)
	}
	return nil
}

// again requests the signatures of tickets that were created for a request before.
func (s *Signer) again(ctx context.Context, t *pay.Tickets) ([]byte, error) {
	if t.Before == nil {
		return nil, fmt.Errorf("the agent at %s has not created these tickets", s.client.path)
	}
	o := s.order(s.status.StoreID)
	o.Request = &namedRequest{ID: t.Before.ID, Digest: t.Before.Digest}
	o.Session, o.FirstNonce, o.Count = format.Hash(t.Params.RecipientRandHash), t.Nonces.First, t.Nonces.Count
	answer, err := post[signedTickets](ctx, s.client, pathTickets, kindOrder, o, kindTickets)
	if err != nil {
		return nil, err
	}
	return answer.Signatures, nil
}

// SignTx implements signer.Source.
func (s *Signer) SignTx(ctx context.Context, t *types.Transaction, chainID *big.Int) (*types.Transaction, error) {
	if chainID == nil || !chainID.IsInt64() {
		return nil, Mismatch("chain ID", chainID, int64(s.status.ChainID))
	}
	raw, err := t.MarshalBinary()
	if err != nil {
		return nil, err
	}
	ask := &transaction{ChainID: format.Nat(chainID.Int64()), Sender: s.status.Account, Transaction: raw}
	answer, err := post[transaction](ctx, s.client, pathTransaction, kindTransaction, ask, kindTransaction)
	if err != nil {
		return nil, err
	}
	signed := new(types.Transaction)
	if err := signed.UnmarshalBinary(answer.Transaction); err != nil {
		return nil, fmt.Errorf("the agent at %s answers with no transaction: %w", s.client.path, err)
	}
	signer := types.LatestSignerForChainID(chainID)
	from, err := types.Sender(signer, signed)
	if err != nil || from != s.Address() || signer.Hash(signed) != signer.Hash(t) {
		return nil, fmt.Errorf("the agent at %s answers with another transaction", s.client.path)
	}
	return signed, nil
}
