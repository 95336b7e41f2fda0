package wallet

import (
	"context"

	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/store"
)

// Status returns the account's state and its problems, from one request to the node and a look at
// the store. It returns the node's errors.
func (r *Reader) Status(ctx context.Context, wanted check.Wanted) (*check.Status, error) {
	ctx, cancel := r.bound(ctx)
	defer cancel()
	said, err := r.node.Status(ctx, r.Address)
	if err != nil {
		return nil, err
	}
	status := &check.Status{Status: said, Network: r.Network, Account: r.Address}
	seen, err := store.Summarize(ctx, r.Store, r.Network.ID(), r.Address, store.RememberIn(r.DatabasesDir))
	status.Judge(wanted, seen, err, r.Now())
	return status, nil
}
