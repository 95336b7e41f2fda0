package wallet

import (
	"context"

	"github.com/pmctl/pmctl/wallet/chain"
)

// Status is what the chain says of the account, in one request of the node.
func (r *Reader) Status(ctx context.Context) (*chain.Status, error) {
	ctx, cancel := r.bound(ctx)
	defer cancel()
	return r.node.Status(ctx, r.Address)
}
