package wallet

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
)

// Judged are ticket params with the result of their checks.
type Judged struct {
	Document *format.Params
	Params   *pm.TicketParams
	Findings []check.Finding

	// Against is the first reason not to pay on them, Unchecked is why the chain was not asked; nil
	// for none.
	Against, Unchecked error
}

func judge(limits policy.Limits, document *format.Params, params *pm.TicketParams, facts *pm.Facts) *Judged {
	j := &Judged{Document: document, Params: params, Findings: check.Params(limits, params, facts, 1)}
	if facts == nil {
		j.Against = limits.CheckParams(params, 1)
	} else {
		j.Against = limits.Check(params, *facts, 1)
	}
	return j
}

// Judge checks the ticket params of a document against the limits and, if a node answers, against
// the chain. It returns ErrNoDocument, the errors of format.Params.TicketParams, and ctx's once that
// has ended.
func Judge(ctx context.Context, c Config, document *format.Params) (*Judged, error) {
	if document == nil {
		return nil, ErrNoDocument
	}
	c = c.withDefaults()
	params, err := document.TicketParams()
	if err != nil {
		return nil, err
	}
	var facts *pm.Facts
	if !c.Offline {
		err = c.read(ctx, func(ctx context.Context, node *chain.Client) error {
			now, err := node.Facts(ctx, common.Address(document.Sender), pm.CounterpartyOf(params))
			if err == nil {
				facts = &now
			}
			return err
		})
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	j := judge(c.Limits, document, params, facts)
	if !errors.Is(err, ErrNoNode) {
		j.Unchecked = err
	}
	return j, nil
}
