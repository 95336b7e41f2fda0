package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/internal/facts"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// payer returns the Payer of the account, under the user's limits.
func (s *Service) payer(o *order) *pay.Payer {
	limits := s.Limits
	limits.InactiveOK = o.InactiveOK
	return &pay.Payer{
		Sender:  s.Signer.Address(),
		Limits:  limits,
		Chain:   facts.Aged{Cache: s.facts, AtMost: s.within(time.Duration(o.MaxHeadAge) * time.Millisecond)},
		Nonces:  s.Store.Chain(s.Network.ChainID).In(o.StoreID),
		Now:     s.Now,
		Offline: o.Offline,
	}
}

// make creates tickets: it checks the order from scratch, reserves the nonces, and signs.
func (s *Service) make(ctx context.Context, o *order) (*signedTickets, error) {
	if err := s.servesChain(o.ChainID); err != nil {
		return nil, err
	}
	serves := s.Store.ID()
	if o.StoreID != serves {
		// The command may have found the store restored, and retired its sessions.
		var err error
		if serves, err = s.Store.Refresh(ctx); errors.As(err, new(*store.RestoredError)) {
			return nil, hint.With(err, "restart the agent: pmctl agent stop, then pmctl agent start")
		} else if err != nil {
			return nil, err
		}
	}
	if o.StoreID != serves {
		return nil, hint.With(Mismatch("store", o.StoreID, serves), "name the agent's store: PMCTL_STORE=%s", s.Store.Path())
	}
	payer := s.payer(o)
	if o.Params == nil {
		return s.again(ctx, payer, o)
	}
	if err := s.serves(o.Params.Sender); err != nil {
		return nil, err
	}
	if o.Count > MaxTickets {
		return nil, tooMany(o.Count)
	}
	if o.Count == 0 || o.Round == nil {
		return nil, fmt.Errorf("%w: %d tickets; it must have a round and at least 1 ticket", ErrOrder, o.Count)
	}
	params, err := o.Params.TicketParams()
	if err != nil {
		return nil, err
	}
	made, err := s.madeFor(ctx, payer, o.Request)
	if err != nil {
		return nil, err
	}
	plan, err := payer.Plan(ctx, params, pay.Amount{Count: made.Tickets + uint64(o.Count), Made: made, Ahead: uint64(o.Ahead)})
	if err != nil {
		return nil, err
	}
	if round := (pm.TicketExpirationParams{CreationRound: int64(o.Round.CreationRound), CreationRoundBlockHash: common.Hash(o.Round.CreationRoundBlockHash)}); plan.Expiration != round {
		return nil, fmt.Errorf("%w: %d with block hash %#x, not %d with %#x", ErrRound,
			round.CreationRound, round.CreationRoundBlockHash, plan.Expiration.CreationRound, plan.Expiration.CreationRoundBlockHash)
	}
	if o.Request != nil {
		request := o.Request.request()
		plan.Request = &request
		if err := checkRecord(payer, plan); err != nil {
			return nil, err
		}
	}
	key, err := s.unlocked()
	if err != nil {
		return nil, err
	}
	tickets, err := payer.Reserve(ctx, plan)
	if err != nil {
		return nil, err
	}
	if tickets.Before != nil {
		return &signedTickets{FirstNonce: tickets.Nonces.First, Count: tickets.Nonces.Count, Before: true}, nil
	}
	return s.sign(ctx, key, tickets)
}

// madeFor returns the sum of the tickets created for a request before, to which the limits apply
// together with new ones.
func (s *Service) madeFor(ctx context.Context, payer *pay.Payer, r *namedRequest) (policy.Sum, error) {
	if r == nil || r.After == "" {
		return policy.Sum{}, nil
	}
	records, err := s.Store.Chain(s.Network.ChainID).Requested(ctx, payer.Sender, r.request())
	if err != nil {
		return policy.Sum{}, err
	}
	return payer.MadeFor(records)
}

// checkRecord verifies that a request's record, which comes from the client, describes the tickets
// that are created now.
func checkRecord(payer *pay.Payer, plan *pay.Plan) error {
	kept := &store.Record{
		ID: plan.Request.ID, RecipientRandHash: plan.Params.RecipientRandHash, Record: plan.Request.Record,
		Nonces: pm.NonceRange{First: 1, Count: plan.Count},
	}
	_, again, err := payer.Recall(kept)
	if err != nil {
		return err
	}
	now, then := pm.NewTicket(plan.Params, &plan.Expiration, payer.Sender, 1), pm.NewTicket(again.Params, &again.Expiration, payer.Sender, 1)
	if now.Hash() != then.Hash() {
		return fmt.Errorf("%w: the record of request %q describes other tickets", ErrOrder, plan.Request.ID)
	}
	return nil
}

// again signs the tickets created for a request before, if the limits and the ledger still have
// them. A store may be shared, so its records are checked.
func (s *Service) again(ctx context.Context, payer *pay.Payer, o *order) (*signedTickets, error) {
	if o.Request == nil {
		return nil, fmt.Errorf("%w: it has neither ticket params nor a request", ErrOrder)
	}
	records, err := s.Store.Chain(s.Network.ChainID).Requested(ctx, payer.Sender, o.Request.request())
	if err != nil {
		return nil, err
	}
	nonces := pm.NonceRange{First: o.FirstNonce, Count: o.Count}
	part := slices.IndexFunc(records, func(r *store.Record) bool {
		return r.RecipientRandHash == common.Hash(o.Session) && r.Nonces == nonces
	})
	if part < 0 {
		return nil, fmt.Errorf("%w: no such tickets were created for request %q", ErrOrder, o.Request.ID)
	}
	made, err := payer.MadeFor(records)
	if err == nil {
		err = payer.Limits.CheckTotal(made)
	}
	if err != nil {
		return nil, err
	}
	_, tickets, err := payer.Again(ctx, records[part])
	if err != nil {
		return nil, err
	}
	if tickets.Nonces.Count > MaxTickets {
		return nil, tooMany(tickets.Nonces.Count)
	}
	key, err := s.unlocked()
	if err != nil {
		return nil, err
	}
	return s.sign(ctx, key, tickets)
}

const sigLength = 65

func (s *Service) sign(ctx context.Context, key signer.Source, t *pay.Tickets) (*signedTickets, error) {
	signatures := make([]byte, 0, sigLength*int(t.Nonces.Count))
	err := t.Sign(ctx, key, func(ticket pm.TicketSenderParams) error {
		signatures = append(signatures, ticket.Sig...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.batches.Add(1)
	s.tickets.Add(int64(t.Nonces.Count))
	return &signedTickets{FirstNonce: t.Nonces.First, Count: t.Nonces.Count, Signatures: signatures}, nil
}

// request signs a request for ticket params.
func (s *Service) request(ctx context.Context, o *orchestratorRequest) (*orchestratorRequest, error) {
	if err := s.serves(o.Sender); err != nil {
		return nil, err
	}
	key, err := s.unlocked()
	if err != nil {
		return nil, err
	}
	request, err := wire.NewOrchestratorRequest(signer.ForPM(ctx, key))
	if err != nil {
		return nil, err
	}
	s.requests.Add(1)
	return &orchestratorRequest{Sender: o.Sender, Signature: (*format.Sig)(request.Sig)}, nil
}

func (s *Service) serves(sender format.Address) error {
	if asked, served := common.Address(sender), s.Signer.Address(); asked != served {
		return Mismatch("account", asked, served)
	}
	return nil
}

func (s *Service) servesChain(id format.Nat) error {
	if uint64(id) != s.Network.ChainID {
		return Mismatch("chain ID", id, s.Network.ChainID)
	}
	return nil
}

// credentials returns the segment header for an auth token.
func (s *Service) credentials(ctx context.Context, c *credentials) (*segmentHeader, error) {
	if err := s.serves(c.Sender); err != nil {
		return nil, err
	}
	token := new(wire.AuthToken)
	if err := proto.Unmarshal(c.Token, token); err != nil {
		return nil, fmt.Errorf("%w: auth_token: %w", format.ErrSyntax, err)
	}
	key, err := s.unlocked()
	if err != nil {
		return nil, err
	}
	header, err := pay.SegmentHeader(ctx, key, token, s.Now())
	return &segmentHeader{header}, err
}
