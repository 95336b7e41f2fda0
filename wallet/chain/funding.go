package chain

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/internal/nodes"
)

// SimulateFunding simulates a call on the newest block, and compares its events, and getSenderInfo
// before and after, with the expected funding. It fails with *FundingError. It returns nil if the
// node cannot simulate that, and for a call that reverts: the gas estimate reports the reason.
func (c *Client) SimulateFunding(ctx context.Context, call ethereum.CallMsg, f broker.Funding) error {
	look := map[string]any{"to": call.To, "data": hexutil.Bytes(broker.AskFunds(f.Sender))}
	rich := (*hexutil.Big)(new(big.Int).Lsh(big.NewInt(1), 200)) // another check reports missing funds
	var blocks []struct {
		Calls []struct {
			ReturnData hexutil.Bytes  `json:"returnData"`
			Logs       []*types.Log   `json:"logs"`
			Status     hexutil.Uint64 `json:"status"`
		} `json:"calls"`
	}
	var result json.RawMessage
	err := c.Get(ctx, &result, "eth_simulateV1", map[string]any{"blockStateCalls": []any{map[string]any{
		"stateOverrides": map[common.Address]any{call.From: map[string]any{"balance": rich}},
		"calls": []any{look, map[string]any{
			"from": call.From, "to": call.To, "value": (*hexutil.Big)(call.Value), "input": hexutil.Bytes(call.Data),
		}, look},
	}}}, "latest")
	if err != nil {
		if nodes.LacksMethod(err) {
			return nil
		}
		return err
	}
	if json.Unmarshal(result, &blocks) != nil || len(blocks) != 1 || len(blocks[0].Calls) != 3 || slices.Contains(blocks[0].Calls[1].Logs, nil) {
		return nil // the answer is not to this simulation
	}
	calls := blocks[0].Calls
	if uint64(calls[1].Status) != types.ReceiptStatusSuccessful {
		return nil
	}
	if err := f.CheckEvents(*call.To, common.Hash{}, calls[1].Logs); err != nil {
		return err
	}
	before, badBefore := broker.ReadFunds(calls[0].ReturnData)
	after, badAfter := broker.ReadFunds(calls[2].ReturnData)
	if err := cmp.Or(badBefore, badAfter); err != nil {
		return fmt.Errorf("the contract at %s answered in another format than the network's contract: %w", call.To, err)
	}
	return f.CheckGrowth(*call.To, common.Hash{}, before, after)
}

// CheckFunding compares a mined transaction's events, and getSenderInfo at its block and the
// block before, with the expected funding. It fails with *FundingError. It returns false if
// getSenderInfo could not be compared: the node no longer has the state of these blocks, or
// other transactions of the block touched the same account.
func (c *Client) CheckFunding(ctx context.Context, receipt *types.Receipt, f broker.Funding) (compared bool, err error) {
	contracts, err := c.Contracts(ctx)
	if err != nil {
		return false, err
	}
	at := contracts.TicketBroker
	if err := f.CheckEvents(at, receipt.TxHash, receipt.Logs); err != nil {
		return false, err
	}
	number := receipt.BlockNumber.Uint64()
	if number == 0 {
		return false, nil
	}
	var before, after broker.Funds
	b := new(batch)
	nodes.Call(&b.Batch, at, broker.AskFunds(f.Sender), broker.ReadFunds, &before, hexutil.Uint64(number-1))
	nodes.Call(&b.Batch, at, broker.AskFunds(f.Sender), broker.ReadFunds, &after, hexutil.Uint64(number))
	if err := c.Send(ctx, &b.Batch); err != nil || b.Refused() {
		return false, err
	}
	if err := b.Settle(); err != nil {
		return false, err
	}
	differs := f.CheckGrowth(at, receipt.TxHash, before, after)
	if differs == nil {
		return true, nil
	}
	// By the block's hash: behind a load balancer the node that is asked now may lack the block
	// of the receipt, and then refuses or returns no events. A node that has the block and no
	// such event proves that there was none.
	logs, known, err := c.blockLogs(ctx, contracts, f.Sender, receipt.BlockHash)
	if err != nil || !known {
		return false, nil
	}
	for _, log := range logs {
		if log.TxHash != receipt.TxHash {
			return false, nil
		}
	}
	return true, differs
}

// blockLogs returns the broker's events of a sender in one block, and whether the node has the
// block.
func (c *Client) blockLogs(ctx context.Context, contracts Contracts, sender common.Address, hash common.Hash) (logs []types.Log, known bool, err error) {
	var block json.RawMessage
	b := new(batch)
	b.Add("eth_getBlockByHash", &block, hash, false)
	b.Add("eth_getLogs", &logs, map[string]any{"blockHash": hash, "address": contracts.TicketBroker, "topics": broker.Filter(sender)})
	err = c.Do(ctx, &b.Batch)
	return logs, len(block) != 0 && string(block) != "null", err
}
