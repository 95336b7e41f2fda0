package wallet

import (
	"context"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/chain"
)

// Reader reads an account's state through a node, and inspects its store without opening it. It
// needs no key. It is not safe for concurrent use.
type Reader struct {
	Config

	// Address is the account.
	Address common.Address

	node *chain.Client
}

// OpenReader returns a Reader, to be closed by the caller. It returns the errors of Dial.
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
