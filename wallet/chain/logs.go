package chain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/chain/nodes"
	"github.com/pmctl/pmctl/wallet/contract"
)

// ErrTooMuch is matched by a refusal that a request for fewer blocks may not get: a
// node said no, or did not answer in time. Nodes tell their limits in words of their own.
var ErrTooMuch = errors.New("the node does not answer for that many blocks")

// senderEvents are the broker's events about a sender, who is the first indexed
// argument of each.
var senderEvents = []string{
	contract.TicketBrokerDepositFundedEventName,
	contract.TicketBrokerReserveFundedEventName,
	contract.TicketBrokerUnlockEventName,
	contract.TicketBrokerUnlockCancelledEventName,
	contract.TicketBrokerWithdrawalEventName,
	contract.TicketBrokerReserveClaimedEventName,
	contract.TicketBrokerWinningTicketTransferEventName,
	contract.TicketBrokerWinningTicketRedeemedEventName,
}

// SenderLogs returns the broker's events about a sender in the blocks from first to
// last, in the chain's order, in one request. It fails with ErrTooMuch besides what
// every read fails with.
func (c *Client) SenderLogs(ctx context.Context, sender common.Address, first, last uint64) ([]types.Log, error) {
	contracts, err := c.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	var logs []types.Log
	filter := senderFilter(contracts, sender)
	filter["fromBlock"], filter["toBlock"] = hexutil.Uint64(first), hexutil.Uint64(last)
	err = c.Get(ctx, &logs, "eth_getLogs", filter)
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

// senderFilter is what eth_getLogs takes, without the blocks.
func senderFilter(contracts Contracts, sender common.Address) map[string]any {
	broker := contract.NewTicketBroker().GetABI()
	kinds := make([]common.Hash, len(senderEvents))
	for i, name := range senderEvents {
		kinds[i] = broker.Events[name].ID
	}
	return map[string]any{"address": contracts.TicketBroker, "topics": []any{kinds, common.BytesToHash(sender[:])}}
}
