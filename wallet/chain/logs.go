package chain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/internal/nodes"
)

// ErrTooMuch matches a refusal or time-out that a request for fewer blocks may avoid. Nodes
// have no common error for their limits.
var ErrTooMuch = errors.New("the node does not answer for so many blocks at once")

// SenderLogs returns the broker's events of a sender in the blocks from first to last, in the
// chain's order, in one request. It fails with ErrTooMuch, and as every read does.
func (c *Client) SenderLogs(ctx context.Context, sender common.Address, first, last uint64) ([]types.Log, error) {
	contracts, err := c.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	logs, err := c.Logs(ctx, first, last, map[string]any{"address": contracts.TicketBroker, "topics": broker.Filter(sender)})
	if err != nil {
		if nodes.TooMuch(err) {
			return nil, fmt.Errorf("%w: %w", ErrTooMuch, err)
		}
		return nil, err
	}
	slices.SortStableFunc(logs, func(a, b types.Log) int {
		return cmp.Or(cmp.Compare(a.BlockNumber, b.BlockNumber), cmp.Compare(a.Index, b.Index))
	})
	return logs, nil
}
