package check

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/runner"
	"github.com/pmctl/pmctl/wallet/signer"
)

// recipient is the server at the URL, and what the registry and the chain record about it.
type recipient struct {
	*books
	probeErr, fetchErr error
	offer              *pay.Offer
	runners            []runner.Runner
	chainFacts         pm.Facts // about the offer's recipient and round
	entry              chain.Recipient
	entryErr           error
}

func (r *recipient) checks() []Check {
	return []Check{
		{"recipient", nil, r.answers},
		{"protocol", []string{"recipient"}, r.protocol},
		{"params", []string{"protocol", "key_opens"}, r.params},
		{"max_float", []string{"params", "reserve"}, r.bound(r.maxFloat)},
		{"params_form", []string{"params"}, r.form},
		{"pin", []string{"params_form", "store"}, r.pin},
		{"allowed", []string{"params_form", "limits"}, r.allowed},
		{"same_chain", []string{"params_form", "contracts", "head"}, r.bound(r.sameChain)},
		{"registry", []string{"same_chain"}, r.registry},
		{"active", []string{"registry"}, r.active}, // which an impostor is not either
	}
}

// ask fetches ticket params as a payment does.
func (r *recipient) ask(ctx context.Context, request *wire.OrchestratorRequest) (*pay.Offer, error) {
	return (&pay.Client{Now: r.Now, Timeout: r.RecipientTimeout, OnRequest: r.OnRequest}).Fetch(ctx, r.URL, request)
}

// answers sends a request without a signature, which a recipient refuses. That needs no key, and
// shows whether a recipient is there.
func (r *recipient) answers(ctx context.Context) Finding {
	if _, r.probeErr = r.ask(ctx, &wire.OrchestratorRequest{}); errors.Is(r.probeErr, pay.ErrUnreachable) {
		return Fail(hint.With(r.probeErr, "check the URL, its port, and the connection; pmctl recipient list shows recipients with their URLs"),
			"a recipient that answers", OwnerRecipient+"-serviceAddr; yours: the URL, --timeout")
	}
	return Fine("a server answers at %s", r.URL)
}

func (r *recipient) protocol(context.Context) Finding {
	if errors.Is(r.probeErr, pay.ErrNotRecipient) {
		return Fail(hint.With(r.probeErr, "check the URL and its port: it must be the recipient's service URI"),
			"gRPC over HTTP/2", OwnerRecipient+"-serviceAddr; yours: the URL")
	}
	return Fine("speaks the recipients' protocol")
}

// params sends a request signed with the account's key. The list of runners, which pace reads, is
// asked for at the same time.
func (r *recipient) params(ctx context.Context) Finding {
	key, err := r.Key.Unlock(ctx)
	if err != nil {
		return Unread(err)
	}
	request, err := wire.NewOrchestratorRequest(signer.ForPM(ctx, key))
	if err != nil {
		return Unread(err)
	}
	var listing sync.WaitGroup
	listing.Go(func() { r.runners = r.listed(ctx) })
	r.offer, r.fetchErr = r.ask(ctx, request)
	listing.Wait()
	switch {
	case r.fetchErr == nil, errors.Is(r.fetchErr, pay.ErrMalformed), errors.Is(r.fetchErr, pay.ErrNoTicketParams):
		return Fine("the recipient answers")
	case r.refusesReserve():
		return Fine("the recipient answers: %v", pm.ErrInsufficientSenderReserve)
	}
	return Fail(r.fetchErr, "ticket params", OwnerRecipient+"its software and settings").Or("ask the recipient, or choose another: pmctl recipient list")
}

// listed are the recipient's live runners. Most recipients have none, so a failure is none, too.
func (r *recipient) listed(ctx context.Context) []runner.Runner {
	began := time.Now()
	runners, err := (&runner.Client{HTTP: pay.HTTPClient()}).Runners(ctx, r.URL)
	if r.OnRequest != nil {
		r.OnRequest(pay.Request{URL: r.URL, Method: "GET /discovery", Took: time.Since(began), Err: err})
	}
	return runners
}

// refusesReserve reports whether the recipient refuses because of a small reserve: max_float
// explains that.
func (r *recipient) refusesReserve() bool {
	return errors.Is(r.fetchErr, pm.ErrInsufficientSenderReserve)
}

func (r *recipient) form(context.Context) Finding {
	switch {
	case r.refusesReserve():
		return NotMade("needs max_float")
	case r.fetchErr != nil:
		return Fail(r.fetchErr, "ticket params and a price, as the protocol defines them", OwnerRecipient+"-serviceAddr, its software").Or("choose another recipient: pmctl recipient list")
	}
	return Fine("as the protocol defines them")
}

// paidBefore is the address pinned to the URL; zero for none.
func (r *recipient) paidBefore(ctx context.Context) (common.Address, error) {
	if r.store == nil {
		return common.Address{}, nil
	}
	return r.ledger().Recipient(ctx, r.Address, r.URL.String())
}

func (r *recipient) pin(ctx context.Context) Finding {
	paid := r.offer.Params.Recipient
	before, err := r.paidBefore(ctx)
	if err != nil {
		return Unread(err)
	}
	if r.store != nil {
		pins := pay.Pins{Known: r.ledger(), Sender: r.Address, Accept: r.Accept}
		if err := pins.Check(ctx, r.URL, paid); err != nil {
			return Fail(err, before.Hex()+", which was paid there before", OwnerUser+"--recipient").At(paid.Hex())
		}
	}
	return Fine("pays %v", paid)
}

func (r *recipient) allowed(context.Context) Finding {
	paid := r.offer.Params.Recipient
	if err := r.Limits.Explain(r.Limits.CheckRecipient(paid)); err != nil {
		return Fail(err, policy.Addresses(r.Limits.Recipients).String(), OwnerUser+r.Limits.Where(policy.Recipients)).At(paid.Hex())
	}
	if r.Limits.Recipients == nil {
		return Fine("any recipient may be paid")
	}
	return Fine("one of the allowed recipients")
}

// sameChain compares the block hash of the params' round with the node's. It also reads what the
// next checks need.
func (r *recipient) sameChain(ctx context.Context) Finding {
	params := r.offer.Params
	about := pm.CounterpartyOf(params)
	var err error
	var reads sync.WaitGroup
	reads.Go(func() { r.chainFacts, err = r.client.Facts(ctx, r.Address, about) })
	reads.Go(func() { r.entry, r.entryErr = r.client.Recipient(ctx, params.Recipient) })
	if reads.Wait(); err != nil {
		return Unread(err)
	}
	if err := r.Limits.CheckCounterparty(params, r.chainFacts); errors.Is(err, policy.ErrOtherChain) {
		return Fail(err, "a round with the same block hash on both chains", OwnerRecipient+"-network, -ethUrl; yours: --network, --rpc-url")
	}
	if about.Round == 0 {
		return Fine("the ticket params name no round to compare")
	}
	return Fine("round %d has the same block hash", about.Round)
}

func (r *recipient) registry(context.Context) Finding {
	switch {
	case r.entryErr != nil:
		return Unread(r.entryErr)
	case !IsRegisteredAt(r.entry, r.URL):
		return Fail(Disagreement(r.URL, r.offer.Params.Recipient, r.entry), r.URL.String(), OwnerRecipient+"-serviceAddr, and its entry in the service registry").At(entries(r.entry))
	case !isEntry(r.entry.ServiceURI, r.URL):
		return Fine("the same URL, for AI work")
	}
	return Fine("the same URL")
}

func (r *recipient) active(context.Context) Finding {
	if err := r.Limits.CheckCounterparty(r.offer.Params, r.chainFacts); errors.Is(err, policy.ErrInactive) {
		return Fail(err, "a recipient in the active pool", OwnerRecipient+"its stake").
			At(fmt.Sprintf("%v is not active: it would refuse every payment and keep the tickets", r.offer.Params.Recipient))
	}
	return Fine("yes")
}
