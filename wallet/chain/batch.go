package chain

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"
)

// batch is reads that are asked in one request.
type batch struct {
	elems  []rpc.BatchElem
	decode []func() error // beside elems; nil when the result needs no decoding
	fails  []*error       // beside elems; nil where an error of this read is the batch's
}

// add appends a read whose answer is JSON.
func (b *batch) add(method string, result any, args ...any) {
	b.elems = append(b.elems, rpc.BatchElem{Method: method, Args: args, Result: result})
	b.decode = append(b.decode, nil)
	b.fails = append(b.fails, nil)
}

// try appends a read whose failure is kept in err, and is not the batch's.
func (b *batch) try(err *error, method string, result any, args ...any) {
	b.add(method, result, args...)
	b.fails[len(b.fails)-1] = err
}

// call appends a contract's view at the newest block.
func call[T any](b *batch, to common.Address, data []byte, unpack func([]byte) (T, error), into *T) {
	out := new(hexutil.Bytes)
	b.add("eth_call", out, map[string]any{"to": to, "data": hexutil.Bytes(data)}, "latest")
	b.decode[len(b.decode)-1] = func() error {
		value, err := unpack(*out)
		if err != nil {
			return fmt.Errorf("the contract at %s answers in another form than the network's: %w", to, err)
		}
		*into = value
		return nil
	}
}

// do asks everything in one request. The first error of any read is the batch's.
func (c *Client) do(ctx context.Context, b *batch) error {
	if err := c.send(ctx, b); err != nil {
		return err
	}
	return c.settle(b, 0, len(b.elems))
}

// send asks everything of one node, in as few requests as that takes.
func (c *Client) send(ctx context.Context, b *batch) error {
	defer c.rememberNodes()
	return c.nodes.ask(ctx, b.elems)
}

// get asks for one thing.
func (c *Client) get(ctx context.Context, result any, method string, args ...any) error {
	b := new(batch)
	b.add(method, result, args...)
	return c.do(ctx, b)
}

// settle decodes the answers from one to before another, and returns the first error.
func (c *Client) settle(b *batch, from, to int) error {
	for i := from; i < to; i++ {
		if err := b.elems[i].Error; err != nil {
			if b.fails[i] == nil {
				return classify(err)
			}
			*b.fails[i] = classify(err)
			continue
		}
		if b.decode[i] == nil {
			continue
		}
		if err := b.decode[i](); err != nil {
			return err
		}
	}
	return nil
}

// contractID is the key under which the controller knows a contract.
func contractID(name string) [32]byte { return crypto.Keccak256Hash([]byte(name)) }
