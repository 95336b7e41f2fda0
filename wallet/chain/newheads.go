package chain

import (
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
)

// subscribeTimeout bounds the wait for a subscription; a node that says nothing to the
// request counts as one that refuses it.
const subscribeTimeout = 5 * time.Second

// newHeads is a node's subscription to new blocks, where it offers one: connections
// that stay have it, HTTP has not, and nodes may refuse it. It belongs to one
// goroutine.
type newHeads struct {
	// dial makes a connection of the subscription's own; nil for a node over HTTP.
	dial    func(context.Context) (*rpc.Client, error)
	told    chan newHead
	client  *rpc.Client             // of sub
	sub     *rpc.ClientSubscription // nil while there is none
	refused bool
}

// newHead is what matters of what the node tells: that there is something to look at.
type newHead struct {
	Hash common.Hash `json:"hash"`
}

// begin subscribes, unless that is done or the node does not want it. Why it fails, the next
// look finds out.
func (n *newHeads) begin(ctx context.Context) {
	if n.dial == nil || n.sub != nil || n.refused {
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
	sub, err := client.EthSubscribe(ctx, n.told, "newHeads")
	if err == nil {
		n.client, n.sub = client, sub
		return
	}
	client.Close()
	var said rpc.Error
	n.refused = errors.As(err, &said) || errors.Is(err, rpc.ErrNotificationsUnsupported) || errors.Is(err, context.DeadlineExceeded)
}

// wanted tells whether there is no subscription yet, and may be.
func (n *newHeads) wanted() bool { return n.dial != nil && n.sub == nil && !n.refused }

// lost tells when the subscription has ended by itself.
func (n *newHeads) lost() <-chan error {
	if n.sub == nil {
		return nil
	}
	return n.sub.Err()
}

// end unsubscribes.
func (n *newHeads) end() {
	if n.sub != nil {
		n.sub.Unsubscribe()
		n.client.Close()
		n.client, n.sub = nil, nil
	}
}
