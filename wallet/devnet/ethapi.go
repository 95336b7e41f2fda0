package devnet

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/rpc"
)

// blockReader is the part of the node's eth API that reads blocks.
type blockReader interface {
	GetBlockByNumber(ctx context.Context, number rpc.BlockNumber, fullTx bool) (map[string]any, error)
	GetBlockByHash(ctx context.Context, hash common.Hash, fullTx bool) (map[string]any, error)
	GetHeaderByNumber(ctx context.Context, number rpc.BlockNumber) (map[string]any, error)
	GetHeaderByHash(ctx context.Context, hash common.Hash) map[string]any
}

// txSender is the part of the node's eth API that accepts transactions.
type txSender interface {
	SendRawTransaction(ctx context.Context, input hexutil.Bytes) (common.Hash, error)
}

// sendAPI wraps the node's own method for transactions.
type sendAPI struct {
	sender txSender
	mined  func() error // called after each accepted transaction
}

// SendRawTransaction accepts a signed transaction and, if blocks are mined on demand, returns
// once it is in a block. It serves eth_sendRawTransaction.
func (api *sendAPI) SendRawTransaction(ctx context.Context, input hexutil.Bytes) (common.Hash, error) {
	hash, err := api.sender.SendRawTransaction(ctx, input)
	if err != nil {
		return hash, err
	}
	return hash, api.mined()
}

// l1Block is the field with the number of the L1 block that a rollup's block belongs to.
const l1Block = "l1BlockNumber"

// arbitrumAPI is sendAPI with L1 numbers in blocks.
type arbitrumAPI struct {
	*sendAPI
	blocks blockReader
	events *filters.EventSystem
	l1     func(number uint64) any // the L1 number as in JSON
}

// GetBlockByNumber serves eth_getBlockByNumber.
func (api *arbitrumAPI) GetBlockByNumber(ctx context.Context, number rpc.BlockNumber, fullTx bool) (map[string]any, error) {
	block, err := api.blocks.GetBlockByNumber(ctx, number, fullTx)
	return api.withL1(block), err
}

// GetBlockByHash serves eth_getBlockByHash.
func (api *arbitrumAPI) GetBlockByHash(ctx context.Context, hash common.Hash, fullTx bool) (map[string]any, error) {
	block, err := api.blocks.GetBlockByHash(ctx, hash, fullTx)
	return api.withL1(block), err
}

// GetHeaderByNumber serves eth_getHeaderByNumber.
func (api *arbitrumAPI) GetHeaderByNumber(ctx context.Context, number rpc.BlockNumber) (map[string]any, error) {
	header, err := api.blocks.GetHeaderByNumber(ctx, number)
	return api.withL1(header), err
}

// GetHeaderByHash serves eth_getHeaderByHash.
func (api *arbitrumAPI) GetHeaderByHash(ctx context.Context, hash common.Hash) map[string]any {
	return api.withL1(api.blocks.GetHeaderByHash(ctx, hash))
}

func (api *arbitrumAPI) withL1(block map[string]any) map[string]any {
	if number, ok := block["number"].(*hexutil.Big); ok {
		block[l1Block] = api.l1(number.ToInt().Uint64())
	}
	return block
}

// NewHeads serves the subscription to new heads. It ends with the client's connection or when
// the client unsubscribes.
func (api *arbitrumAPI) NewHeads(ctx context.Context) (*rpc.Subscription, error) {
	notifier, ok := rpc.NotifierFromContext(ctx)
	if !ok {
		return nil, rpc.ErrNotificationsUnsupported
	}
	subscription := notifier.CreateSubscription()
	headers := make(chan *types.Header)
	source := api.events.SubscribeNewHeads(headers)
	go func() {
		defer source.Unsubscribe()
		for {
			select {
			case header := <-headers:
				head, err := api.head(header)
				if err != nil || notifier.Notify(subscription.ID, head) != nil {
					return
				}
			case <-source.Err():
				return
			case <-subscription.Err():
				return
			}
		}
	}()
	return subscription, nil
}

func (api *arbitrumAPI) head(header *types.Header) (map[string]any, error) {
	data, err := json.Marshal(header)
	if err != nil {
		return nil, err
	}
	var head map[string]any
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	head[l1Block] = api.l1(header.Number.Uint64())
	return head, nil
}

// ownAPI finds the service of the node that has the methods of T.
func ownAPI[T any](apis []rpc.API) (T, error) {
	for _, api := range apis {
		if service, ok := api.Service.(T); ok && api.Namespace == "eth" {
			return service, nil
		}
	}
	var none T
	return none, fmt.Errorf("the node has no %T", &none)
}

// L1NumberFormat is the format of l1BlockNumber in the Arbitrum mode.
type L1NumberFormat string

// Nodes use both formats.
const (
	L1Hex    L1NumberFormat = "hex"    // "0x11e1a301", as on Arbitrum
	L1Number L1NumberFormat = "number" // 300000001, as on some test nodes
)

// encoder returns a function that formats the L1 number of a block.
func (f L1NumberFormat) encoder(offset uint64) (func(uint64) any, error) {
	switch f {
	case "", L1Hex:
		return func(number uint64) any { return hexutil.Uint64(number + offset) }, nil
	case L1Number:
		return func(number uint64) any { return number + offset }, nil
	}
	return nil, fmt.Errorf(`L1 block numbers are written as "hex" or "number", not %q`, string(f))
}
