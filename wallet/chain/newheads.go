package chain

import (
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
)

// subscribeTimeout limits the wait for a subscription; a node that does not answer counts as
// one that refuses it.
const subscribeTimeout = 5 * time.Second

// newHeads is a subscription to a node's new blocks. WebSocket offers it, HTTP does not, and
// nodes may refuse it. It belongs to one goroutine.
type newHeads struct {
	// dial opens the subscription's own connection; nil for a node over HTTP.
	dial    func(context.Context) (*rpc.Client, error)
	blocks  chan newHead
	client  *rpc.Client             // the connection of sub
	sub     *rpc.ClientSubscription // nil without a subscription
	refused bool
}

// newHead is a notification of a new block, whose content is not used.
type newHead struct {
	Hash common.Hash `json:"hash"`
}

// begin subscribes, unless it has or the node refuses. The next look reports why it fails.
func (n *newHeads) begin(ctx context.Context) {
	if !n.wanted() {
		return
	}
	dialling, dialled := context.WithTimeout(ctx, subscribeTimeout)
	client, err := n.dial(dialling)
	dialled()
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, subscribeTimeout)
	defer cancel()
	sub, err := client.EthSubscribe(ctx, n.blocks, "newHeads")
	if err == nil {
		n.client, n.sub = client, sub
		return
	}
	client.Close()
	n.refused = errors.As(err, new(rpc.Error)) || errors.Is(err, rpc.ErrNotificationsUnsupported) || errors.Is(err, context.DeadlineExceeded)
}

func (n *newHeads) wanted() bool { return n.dial != nil && n.sub == nil && !n.refused }

// lost receives when the subscription has ended on its own.
func (n *newHeads) lost() <-chan error {
	if n.sub == nil {
		return nil
	}
	return n.sub.Err()
}

func (n *newHeads) end() {
	if n.sub != nil {
		n.sub.Unsubscribe()
		n.client.Close()
		n.client, n.sub = nil, nil
	}
}
