package check

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
)

// Subject is what the checks of a whole wallet look at. Checks of the caller's may fill it
// in, when they come before those that need it.
type Subject struct {
	Network chain.Network
	Dial    func(context.Context) (*chain.Client, error)
	Timeout time.Duration // of what is asked of its node at once

	Limits policy.Limits
	Caps   tx.Caps // of a transaction's costs, by the limits

	Address common.Address  // of the account that acts
	Key     *signer.Account // the same with its key; nil until that is found

	Store        func() (string, error) // its location
	DatabasesDir string                 // as in the wallet's Config

	// URL is where a recipient is asked, zero for none; the rest is as in the Config.
	URL              pay.URL
	RecipientTimeout time.Duration
	Accept           []common.Address
	OnRequest        func(pay.Request) // to a recipient

	Now func() time.Time
}

// bound puts the timeout on what a check asks of the node, and on nothing else.
func (s *Subject) bound(run func(context.Context) Finding) func(context.Context) Finding {
	return func(ctx context.Context) Finding {
		ctx, cancel := context.WithTimeout(ctx, s.Timeout)
		defer cancel()
		return run(ctx)
	}
}
