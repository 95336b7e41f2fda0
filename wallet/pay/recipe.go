package pay

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Recipe is what a request's tickets are made of, beside their nonces. Signatures are
// deterministic (RFC 6979), so the same recipe makes the same bytes again.
type Recipe struct {
	// Info is the recipient's answer, URL and FetchedAt are where and when it was asked
	// for; URL may be empty.
	Info      *wire.OrchestratorInfo
	URL       string
	FetchedAt time.Time

	// Expiration is the round that the tickets belong to.
	Expiration pm.TicketExpirationParams

	// Segment is the value of the Livepeer-Segment header; empty when there is none.
	Segment string

	// Value is what was to be paid at least, when the request says that and no count.
	Value wei.Wei

	// Continued tells that the answer was kept from an earlier payment.
	Continued bool
}

// recipe is a Recipe as it is kept.
type recipe struct {
	Info      []byte                    `json:"info"`
	URL       string                    `json:"url"`
	FetchedAt time.Time                 `json:"fetched_at"`
	Round     pm.TicketExpirationParams `json:"round"`
	Segment   string                    `json:"segment"`
	Value     wei.Wei                   `json:"value"`
	Continued bool                      `json:"continued"`
}

// Encode writes the recipe as a store.Request's Record.
func (r *Recipe) Encode() ([]byte, error) {
	info, err := proto.Marshal(r.Info)
	if err != nil {
		return nil, err
	}
	return json.Marshal(recipe{info, r.URL, r.FetchedAt, r.Expiration, r.Segment, r.Value, r.Continued})
}

// ErrForeignRequest is returned for a request whose tickets only another store could
// make again.
var ErrForeignRequest error = foreignRequest{}

type foreignRequest struct{}

func (foreignRequest) Error() string {
	return "the request was made with the store that this one was imported from"
}

// Hint says what to do.
func (foreignRequest) Hint() string {
	return "it was made once and is not made again; choose another id for a new one"
}

// Again returns what a request's tickets were made of, and the tickets. They may be
// signed as often as one likes: they are the same tickets. It fails with
// ErrForeignRequest, with store.ErrDamaged, and with *policy.Refusal for tickets that the
// limits of today do not allow, as far as those need no chain.
func (p *Payer) Again(before *store.Record) (*Recipe, *Tickets, error) {
	if len(before.Record) == 0 {
		return nil, nil, fmt.Errorf("%w: %q", ErrForeignRequest, before.ID)
	}
	var kept recipe
	info := new(wire.OrchestratorInfo)
	err := json.Unmarshal(before.Record, &kept)
	if err == nil {
		err = proto.Unmarshal(kept.Info, info)
	}
	var params *pm.TicketParams
	if err == nil {
		params, err = info.Params()
	}
	if err == nil && params.RecipientRandHash != before.RecipientRandHash {
		err = errors.New("it is of another session")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: what was made for request %q: %w", store.ErrDamaged, before.ID, err)
	}
	// A shared store is written by others, too: the limits of today hold for what it says.
	if err := p.Limits.CheckParams(params, uint64(before.Nonces.Count)); err != nil {
		return nil, nil, err
	}
	r := &Recipe{Info: info, URL: kept.URL, FetchedAt: kept.FetchedAt, Expiration: kept.Round, Segment: kept.Segment, Value: kept.Value, Continued: kept.Continued}
	plan := &Plan{Params: params, Expiration: kept.Round, Count: before.Nonces.Count, TicketEV: params.EV()}
	plan.TotalEV = policy.Cost(uint64(plan.Count), plan.TicketEV, nil).EV
	if !kept.Value.IsZero() {
		plan.Overpays = new(big.Rat).Sub(plan.TotalEV, kept.Value.Rat())
	}
	return r, &Tickets{Plan: plan, Sender: p.Sender, Nonces: before.Nonces, Before: before}, nil
}
