package check

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/tx"
)

// Subject is what the checks of a whole wallet look at. Checks of the caller's may fill it
// in, when they come before those that need it.
type Subject struct {
	Network chain.Network

	// Limits are the user's; Caps are those of a transaction's costs.
	Limits policy.Limits
	Caps   tx.Caps

	// Dial prepares to read the network. What is asked of its node at once takes at most
	// the Timeout.
	Dial    func(context.Context) (*chain.Client, error)
	Timeout time.Duration

	// Address is the account that acts, and Key the same with its key; nil until that is
	// found.
	Address common.Address
	Key     *signer.Account

	// Store returns the store's location. DatabasesDir is where this machine remembers the
	// databases that it has seen.
	Store        func() (string, error)
	DatabasesDir string

	// URL is where a recipient is asked, with what it may be paid for; zero for none.
	URL pay.URL

	// RecipientTimeout bounds what is asked of the recipient at once; 0 is pay.Client's.
	// Accept are recipients that may be paid where another was before.
	RecipientTimeout time.Duration
	Accept           []common.Address

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
