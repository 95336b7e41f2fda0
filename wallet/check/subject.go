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

// Subject is what the checks of a whole wallet examine. The caller's own checks may fill it in, if
// they come before those that need it.
type Subject struct {
	Network chain.Network
	// Dial, Store and Now must be set.
	Dial    func(context.Context) (*chain.Client, error)
	Timeout time.Duration // for each request to its node; 0 for none

	Limits policy.Limits
	Caps   tx.Caps // on a transaction's costs

	Address common.Address  // of the account that acts
	Key     *signer.Account // the account with its key; nil until found

	Store        func() (string, error) // the location
	DatabasesDir string                 // as in wallet.Config

	// URL is a recipient's URL; zero for none. The rest is as in wallet.Config.
	URL              pay.URL
	RecipientTimeout time.Duration
	Accept           []common.Address
	OnRequest        func(pay.Request) // called after each request to a recipient

	Now func() time.Time
}

// bound applies the timeout to a check's requests to the node only.
func (s *Subject) bound(run func(context.Context) Finding) func(context.Context) Finding {
	return func(ctx context.Context) Finding {
		if s.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, s.Timeout)
			defer cancel()
		}
		return run(ctx)
	}
}
