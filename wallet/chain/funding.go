package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/chain/nodes"
	"github.com/pmctl/pmctl/wallet/contract"
)

// Funding is what a transaction is to add to a sender's deposit and reserve, in wei.
type Funding struct {
	Sender           common.Address
	Deposit, Reserve *big.Int
}

// FundingError is a call that the contract took and that did not fund what it was to
// fund.
type FundingError struct {
	Funding

	// Transaction is the mined transaction's hash; zero for a simulated one.
	Transaction common.Hash

	// Broker is the contract that was called.
	Broker common.Address

	// Events tells that it is the contract's events that say otherwise, else it is what
	// the contract keeps. GotDeposit and GotReserve are what was added by them, in wei.
	Events                 bool
	GotDeposit, GotReserve *big.Int
}

func (e *FundingError) Error() string {
	what := "the simulated transaction"
	if e.Transaction != (common.Hash{}) {
		what = fmt.Sprintf("transaction %v was mined, but it", e.Transaction)
	}
	by := "by what getSenderInfo says before and after"
	if e.Events {
		by = "by the events"
	}
	return fmt.Sprintf("%s did not fund %v as it was to: %s of the TicketBroker at %v the deposit grew by %v wei and the reserve by %v wei, not by %v wei and %v wei",
		what, e.Sender, by, e.Broker, e.GotDeposit, e.GotReserve, e.Deposit, e.Reserve)
}

// Hint says what to do.
func (e *FundingError) Hint() string {
	if e.Transaction == (common.Hash{}) {
		return "nothing was sent; check --controller and --network, or use another node: --rpc-url URL"
	}
	return fmt.Sprintf("do not fund again before you have looked at it through another node: pmctl tx wait %v --rpc-url URL", e.Transaction)
}

// SimulateFunding runs a call on the newest block, without sending it, and compares its
// events and what getSenderInfo says before and after with what it is to fund. It fails
// with *FundingError. It is nil where the node cannot simulate that much, and for a call
// that reverts: what estimates the gas says why.
func (c *Client) SimulateFunding(ctx context.Context, call ethereum.CallMsg, f Funding) error {
	look := map[string]any{"to": call.To, "data": hexutil.Bytes(contract.NewTicketBroker().PackGetSenderInfo(f.Sender))}
	rich := (*hexutil.Big)(new(big.Int).Lsh(big.NewInt(1), 200)) // what the account lacks is told by another check
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
	if json.Unmarshal(result, &blocks) != nil || len(blocks) != 1 || len(blocks[0].Calls) != 3 {
		return nil // it is not the simulation that was asked for
	}
	calls := blocks[0].Calls
	if uint64(calls[1].Status) != types.ReceiptStatusSuccessful {
		return nil
	}
	if err := f.checkEvents(*call.To, common.Hash{}, calls[1].Logs); err != nil {
		return err
	}
	unpack := contract.NewTicketBroker().UnpackGetSenderInfo
	before, err := unpack(calls[0].ReturnData)
	if err != nil {
		return fmt.Errorf("the contract at %s answers in another form than the network's: %w", call.To, err)
	}
	after, err := unpack(calls[2].ReturnData)
	if err != nil {
		return fmt.Errorf("the contract at %s answers in another form than the network's: %w", call.To, err)
	}
	return f.checkGrowth(*call.To, common.Hash{}, before, after)
}

// CheckFunding compares a mined transaction's events, and what getSenderInfo says at its
// block and the block before, with what it was to fund. It fails with *FundingError. It
// returns false when the second could not be compared: the node no longer has the state
// of these blocks, or other transactions of the block touched the same account.
func (c *Client) CheckFunding(ctx context.Context, receipt *types.Receipt, f Funding) (compared bool, err error) {
	contracts, err := c.Contracts(ctx)
	if err != nil {
		return false, err
	}
	broker := contracts.TicketBroker
	if err := f.checkEvents(broker, receipt.TxHash, receipt.Logs); err != nil {
		return false, err
	}
	number := receipt.BlockNumber.Uint64()
	if number == 0 {
		return false, nil
	}
	var before, after contract.GetSenderInfoOutput
	b := new(batch)
	b.senderInfoAt(hexutil.Uint64(number-1), broker, f.Sender, &before)
	b.senderInfoAt(hexutil.Uint64(number), broker, f.Sender, &after)
	if err := c.Send(ctx, &b.Batch); err != nil || b.Refused() {
		return false, err
	}
	if err := b.Settle(); err != nil {
		return false, err
	}
	differs := f.checkGrowth(broker, receipt.TxHash, before, after)
	if differs == nil {
		return true, nil
	}
	// By the block's hash: behind a balancer the node that is asked now may be behind the
	// one that has the receipt. It then refuses, or shows no events, of a block that it does
	// not have. One that has the block and no such event of it says that there was none.
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

// blockLogs returns the broker's events about a sender in one block, and whether the node
// has the block.
func (c *Client) blockLogs(ctx context.Context, contracts Contracts, sender common.Address, hash common.Hash) (logs []types.Log, known bool, err error) {
	var block json.RawMessage
	filter := senderFilter(contracts, sender)
	filter["blockHash"] = hash
	b := new(batch)
	b.Add("eth_getBlockByHash", &block, hash, false)
	b.Add("eth_getLogs", &logs, filter)
	err = c.Do(ctx, &b.Batch)
	return logs, len(block) != 0 && string(block) != "null", err
}

// checkEvents adds up what the broker's events say was funded.
func (f Funding) checkEvents(broker common.Address, hash common.Hash, logs []*types.Log) error {
	deposit, reserve := new(big.Int), new(big.Int)
	events := contract.NewTicketBroker()
	for _, log := range logs {
		if log.Address != broker {
			continue
		}
		if e, err := events.UnpackDepositFundedEvent(log); err == nil && e.Sender == f.Sender {
			deposit.Add(deposit, e.Amount)
		}
		if e, err := events.UnpackReserveFundedEvent(log); err == nil && e.ReserveHolder == f.Sender {
			reserve.Add(reserve, e.Amount)
		}
	}
	return f.compare(&FundingError{Transaction: hash, Broker: broker, Events: true, GotDeposit: deposit, GotReserve: reserve})
}

// checkGrowth compares what the broker keeps for the sender before and after.
func (f Funding) checkGrowth(broker common.Address, hash common.Hash, before, after contract.GetSenderInfoOutput) error {
	return f.compare(&FundingError{
		Transaction: hash, Broker: broker,
		GotDeposit: new(big.Int).Sub(after.Sender.Deposit, before.Sender.Deposit),
		GotReserve: new(big.Int).Sub(after.Reserve.FundsRemaining, before.Reserve.FundsRemaining),
	})
}

// compare returns the error unless what it says was funded is what was to be.
func (f Funding) compare(got *FundingError) error {
	if got.GotDeposit.Cmp(f.Deposit) == 0 && got.GotReserve.Cmp(f.Reserve) == 0 {
		return nil
	}
	got.Funding = f
	return got
}
