package chain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"golang.org/x/sync/errgroup"

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
	err = c.get(ctx, &logs, "eth_getLogs", filter)
	if err != nil {
		if tooMuch(err) {
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

// tooMuch tells whether a smaller question may be answered.
func tooMuch(err error) bool {
	var fault *NodeError
	if errors.As(err, &fault) && fault.Status != "" {
		return slices.Contains([]int{
			http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusGatewayTimeout,
		}, fault.code)
	}
	var said *AnswerError
	return errors.As(err, &said) || errors.Is(err, errTooLarge) || errors.Is(err, context.DeadlineExceeded)
}

// Block is a block's place in time.
type Block struct {
	// Number is the block's own, Hash its hash.
	Number uint64
	Hash   common.Hash
	// Time is when it was made.
	Time time.Time
}

// blocksAtOnce bounds the blocks in one request, blockRequests the requests at the same time.
const blocksAtOnce, blockRequests = 50, 4

// Blocks returns blocks of this chain by their numbers. A block that the node does not
// have has a zero hash.
func (c *Client) Blocks(ctx context.Context, numbers ...uint64) ([]Block, error) {
	blocks := make([]Block, len(numbers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(blockRequests)
	into := blocks
	for some := range slices.Chunk(numbers, blocksAtOnce) {
		its := into[:len(some)]
		into = into[len(some):]
		group.Go(func() error { return c.someBlocks(ctx, some, its) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return blocks, nil
}

// someBlocks is Blocks in one request.
func (c *Client) someBlocks(ctx context.Context, numbers []uint64, into []Block) error {
	type answer struct {
		Hash      common.Hash    `json:"hash"`
		Timestamp hexutil.Uint64 `json:"timestamp"`
	}
	answers := make([]*answer, len(numbers))
	b := new(batch)
	for i, number := range numbers {
		b.add("eth_getBlockByNumber", &answers[i], hexutil.Uint64(number), false)
	}
	if err := c.do(ctx, b); err != nil {
		return err
	}
	for i, a := range answers {
		into[i].Number = numbers[i]
		if a != nil {
			into[i].Hash, into[i].Time = a.Hash, time.Unix(int64(a.Timestamp), 0).UTC()
		}
	}
	return nil
}
