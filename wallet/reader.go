package wallet

import (
	"context"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/chain"
)

// Reader looks at an account, whose key it does not need: through a node, and at what can be
// seen of the store without using it. It is for one goroutine at a time.
type Reader struct {
	Config

	// Address is the account.
	Address common.Address

	node *chain.Client
}

// OpenReader prepares to look at an account, until the Reader is closed. It opens no key and
// no store, and fails as Dial does.
func OpenReader(ctx context.Context, config Config, account common.Address) (*Reader, error) {
	config = config.withDefaults()
	ctx, cancel := config.bound(ctx)
	defer cancel()
	node, err := config.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return &Reader{Config: config, Address: account, node: node}, nil
}

// Close closes the connection to the node.
func (r *Reader) Close() { r.node.Close() }
