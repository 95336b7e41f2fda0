package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/params"
)

// node is one of the network's nodes: its pool, and how it differs from a good one.
type node struct {
	name   string
	ledger *ledger
	pool   pool

	lag     int    // how many blocks it is behind
	ahead   uint64 // how much its pending nonces are too high
	pruned  pruning
	sending []sendFault
}

// pruning is the data that a node has discarded.
type pruning int

const (
	prunedNot   pruning = iota
	prunedIndex         // which transactions are in its blocks
	prunedAll           // the blocks' content, too
)

// sendFault is what a node does with a transaction instead of accepting it.
type sendFault int

const (
	sendTaken   sendFault = iota
	sendDropped           // it claims to accept the transaction, and drops it
	sendRefusedButTaken
	sendRefused
	sendKnownLie // "already known", of a transaction that it has never seen
)

func (f sendFault) String() string {
	return [...]string{"taken", "dropped in silence", "refused, though it was taken", "refused", "said to be known, though it is not"}[f]
}

// refusals are the answers of nodes to transactions that they refuse.
var refusals = []string{
	"insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1",
	"max fee per gas less than block base fee: address 0x00, maxFeePerGas: 1, baseFee: 2",
	"replacement transaction underpriced",
	"exceeds block gas limit",
	"invalid sender",
	"nonce too low: next nonce 9, tx nonce 0",
	"transaction underpriced: gas tip cap 1, minimum needed 2",
	"tx fee (2.00 ether) exceeds the configured cap (1.00 ether)",
}

// rpcError is an error of JSON-RPC.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

func (e *rpcError) Error() string { return e.Message }

func refused(text string) error { return &rpcError{Code: -32000, Message: text} }

type rpcRequest struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

type rpcReply struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result"`
	Error   *rpcError       `json:"error,omitempty"`
}

// MarshalJSON has a result or an error, never both.
func (r rpcReply) MarshalJSON() ([]byte, error) {
	if r.Error != nil {
		return json.Marshal(map[string]any{"jsonrpc": "2.0", "id": r.ID, "error": r.Error})
	}
	return json.Marshal(map[string]any{"jsonrpc": "2.0", "id": r.ID, "result": r.Result})
}

// parseRequests reads a request or a batch.
func parseRequests(body []byte) (list []rpcRequest, batch bool, err error) {
	if strings.HasPrefix(strings.TrimSpace(string(body)), "[") {
		return list, true, json.Unmarshal(body, &list)
	}
	list = make([]rpcRequest, 1)
	return list, false, json.Unmarshal(body, &list[0])
}

// serve answers a client's requests. how is the outcome of a transaction that it sends.
func (n *node) serve(list []rpcRequest, batch bool, how sendFault, text string) ([]byte, error) {
	replies := make([]rpcReply, len(list))
	for i, req := range list {
		replies[i].ID = req.ID
		result, err := n.answer(req, how, text)
		var known *rpcError
		if err != nil && !errors.As(err, &known) {
			return nil, fmt.Errorf("%s: %w", req.Method, err) // the model's own failure
		}
		replies[i].Result, replies[i].Error = result, known
	}
	if batch {
		return json.Marshal(replies)
	}
	return json.Marshal(replies[0])
}

func param[T any](req rpcRequest, i int) (value T, err error) {
	if i < len(req.Params) {
		err = json.Unmarshal(req.Params[i], &value)
	}
	return value, err
}

// at is the block of a tag or a number, nil if there is none yet.
func (n *node) at(req rpcRequest, i int) (*block, error) {
	tag, err := param[string](req, i)
	if err != nil {
		return nil, err
	}
	switch tag {
	case "", "latest", "pending", "safe", "finalized":
		return n.ledger.behind(n.lag), nil
	}
	number, err := hexutil.DecodeUint64(tag)
	if err != nil {
		return nil, err
	}
	newest, first := n.ledger.behind(n.lag).header.Number.Uint64(), n.ledger.blocks[0]
	if number < first.header.Number.Uint64() {
		return first, nil // the account did nothing before
	}
	for _, b := range n.ledger.blocks {
		if b.header.Number.Uint64() == number && number <= newest {
			return b, nil
		}
	}
	return nil, nil
}

func (n *node) answer(req rpcRequest, how sendFault, text string) (any, error) {
	switch req.Method {
	case "eth_chainId":
		return (*hexutil.Big)(n.ledger.rules.ChainID), nil
	case "eth_blockNumber":
		return (*hexutil.Big)(n.ledger.behind(n.lag).header.Number), nil
	case "eth_gasPrice":
		return (*hexutil.Big)(new(big.Int).Add(n.ledger.tip().header.BaseFee, big.NewInt(tip))), nil
	case "eth_maxPriorityFeePerGas":
		return (*hexutil.Big)(big.NewInt(tip)), nil
	case "eth_getBlockByNumber":
		b, err := n.at(req, 0)
		if err != nil || b == nil {
			return nil, err
		}
		return n.block(req, b)
	case "eth_getBlockByHash":
		hash, err := param[common.Hash](req, 0)
		if err != nil {
			return nil, err
		}
		if b := n.byHash(hash); b != nil {
			return n.block(req, b)
		}
		return nil, nil
	case "eth_getBalance", "eth_getTransactionCount", "eth_getCode":
		return n.account(req)
	case "eth_call", "eth_estimateGas":
		return n.simulate(req)
	case "eth_getLogs":
		return n.logs(req)
	case "eth_sendRawTransaction":
		raw, err := param[hexutil.Bytes](req, 0)
		if err != nil {
			return nil, err
		}
		sent := new(types.Transaction)
		if err := sent.UnmarshalBinary(raw); err != nil {
			return nil, err
		}
		return sent.Hash(), n.take(sent, how, text)
	case "eth_getTransactionByHash":
		hash, err := param[common.Hash](req, 0)
		if err != nil {
			return nil, err
		}
		return n.transaction(hash)
	case "eth_getTransactionReceipt":
		hash, err := param[common.Hash](req, 0)
		if err != nil {
			return nil, err
		}
		return n.receipt(hash)
	}
	if req.Method == "eth_simulateV1" {
		const methodNotFound = -32601
		return nil, &rpcError{Code: methodNotFound, Message: "the method eth_simulateV1 does not exist/is not available"}
	}
	return nil, fmt.Errorf("the model's nodes have no %s", req.Method)
}

// block is a block as nodes show it, with its transactions or their hashes.
func (n *node) block(req rpcRequest, b *block) (any, error) {
	whole, err := param[bool](req, 1)
	if err != nil {
		return nil, err
	}
	fields, err := asMap(b.header)
	if err != nil {
		return nil, err
	}
	if n.pruned == prunedAll && whole {
		return nil, nil
	}
	list := []any{}
	for _, tx := range b.txs {
		if !whole {
			list = append(list, tx.Hash())
			continue
		}
		shown, err := n.shown(tx, n.ledger.mined[tx.Hash()])
		if err != nil {
			return nil, err
		}
		list = append(list, shown)
	}
	fields["transactions"] = list
	return fields, nil
}

func (n *node) account(req rpcRequest) (any, error) {
	address, err := param[common.Address](req, 0)
	if err != nil {
		return nil, err
	}
	b, err := n.at(req, 1)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, refused("header not found")
	}
	switch req.Method {
	case "eth_getBalance":
		return (*hexutil.Big)(b.state.GetBalance(address).ToBig()), nil
	case "eth_getCode":
		return hexutil.Bytes(b.state.GetCode(address)), nil
	}
	nonce := b.state.GetNonce(address)
	if tag, _ := param[string](req, 1); tag == "pending" {
		for n.pool[nonce] != nil {
			nonce++
		}
		nonce += n.ahead
	}
	return hexutil.Uint64(nonce), nil
}

type callArgs struct {
	From  common.Address  `json:"from"`
	To    *common.Address `json:"to"`
	Value *hexutil.Big    `json:"value"`
	Data  hexutil.Bytes   `json:"data"`
	Input hexutil.Bytes   `json:"input"`
}

func (n *node) simulate(req rpcRequest) (any, error) {
	args, err := param[callArgs](req, 0)
	if err != nil {
		return nil, err
	}
	b, err := n.at(req, 1)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, refused("header not found")
	}
	m := message{from: args.From, to: args.To, value: new(big.Int), data: args.Data, gas: maxCallGas, rich: len(req.Params) > 2}
	if args.Value != nil {
		m.value = (*big.Int)(args.Value)
	}
	if m.data == nil {
		m.data = args.Input
	}
	if req.Method == "eth_call" {
		result, err := n.ledger.call(b, m)
		if err != nil {
			return nil, refused(err.Error())
		}
		return hexutil.Bytes(result.ReturnData), reverted(result)
	}
	gas, result, err := n.ledger.estimate(b, m)
	if err != nil {
		return nil, refused(err.Error())
	}
	return hexutil.Uint64(gas), reverted(result)
}

// reverted is a call's failure as nodes report it.
func reverted(result *core.ExecutionResult) error {
	switch {
	case result == nil || !result.Failed():
		return nil
	case !errors.Is(result.Err, vm.ErrExecutionReverted):
		return refused(result.Err.Error())
	}
	text := "execution reverted"
	if reason, err := abi.UnpackRevert(result.Revert()); err == nil {
		text += ": " + reason
	}
	return &rpcError{Code: 3, Message: text, Data: hexutil.Encode(result.Revert())}
}

// inBlock is the receipt of a transaction in a block that the node shows.
func (n *node) inBlock(hash common.Hash) *types.Receipt {
	receipt := n.ledger.mined[hash]
	if n.pruned != prunedNot || receipt == nil || receipt.BlockNumber.Cmp(n.ledger.behind(n.lag).header.Number) > 0 {
		return nil
	}
	return receipt
}

func (n *node) transaction(hash common.Hash) (any, error) {
	found := n.pool.find(hash)
	at := n.inBlock(hash)
	if at != nil {
		found = n.ledger.sent[hash]
	}
	if found == nil {
		return nil, nil
	}
	return n.shown(found, at)
}

// shown is a transaction in JSON; at is nil for a pending one.
func (n *node) shown(tx *types.Transaction, at *types.Receipt) (any, error) {
	fields, err := asMap(tx)
	if err != nil {
		return nil, err
	}
	from, err := types.Sender(types.LatestSigner(n.ledger.rules), tx)
	if err != nil {
		return nil, err
	}
	fields["from"] = from
	fields["blockNumber"], fields["blockHash"], fields["gasPrice"] = nil, nil, fields["maxFeePerGas"]
	if at != nil {
		fields["blockNumber"], fields["blockHash"] = (*hexutil.Big)(at.BlockNumber), at.BlockHash
		fields["gasPrice"] = (*hexutil.Big)(at.EffectiveGasPrice)
	}
	return fields, nil
}

func (n *node) receipt(hash common.Hash) (any, error) {
	receipt := n.inBlock(hash)
	if receipt == nil {
		return nil, nil
	}
	fields, err := asMap(receipt)
	if err != nil {
		return nil, err
	}
	sent := n.ledger.sent[hash]
	from, err := types.Sender(types.LatestSigner(n.ledger.rules), sent)
	if receipt.Logs == nil {
		fields["logs"] = []any{}
	}
	delete(fields, "root") // of old blocks
	fields["from"], fields["to"] = from, sent.To()
	if sent.To() != nil {
		fields["contractAddress"] = nil
	}
	return fields, err
}

func asMap(value any) (fields map[string]any, err error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return fields, json.Unmarshal(text, &fields)
}

// take handles a transaction that is sent to the node.
func (n *node) take(sent *types.Transaction, how sendFault, text string) error {
	switch how {
	case sendDropped:
		return nil
	case sendRefused:
		return refused(text)
	case sendKnownLie:
		return refused("already known")
	case sendRefusedButTaken:
		_ = n.accept(sent)
		return refused(text)
	}
	return n.accept(sent)
}

// accept takes a transaction into the pool as nodes do.
func (n *node) accept(sent *types.Transaction) error {
	from, err := types.Sender(types.LatestSigner(n.ledger.rules), sent)
	if err != nil {
		return refused("invalid sender")
	}
	at := n.ledger.behind(n.lag)
	next, balance := at.state.GetNonce(from), at.state.GetBalance(from).ToBig()
	switch {
	case n.pool.find(sent.Hash()) != nil:
		return refused("already known")
	case sent.Nonce() < next:
		return refused(fmt.Sprintf("nonce too low: next nonce %d, tx nonce %d", next, sent.Nonce()))
	case sent.Gas() < params.TxGas:
		return refused("intrinsic gas too low")
	case sent.Cost().Cmp(balance) > 0:
		return refused(fmt.Sprintf("insufficient funds for gas * price + value: balance %v, tx cost %v, overshot %v",
			balance, sent.Cost(), new(big.Int).Sub(sent.Cost(), balance)))
	}
	return n.pool.put(sent)
}
