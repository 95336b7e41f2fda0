package nodes

import (
	"context"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// Batch is a set of reads for one request. The zero value is empty.
type Batch struct {
	elems []rpc.BatchElem
	// decode and fails belong to elems: the function that decodes a result, nil if it needs
	// none, and where this read's own failure goes, nil if it fails the batch.
	decode []func() error
	fails  []*error
}

// Add appends a read whose answer is JSON.
func (b *Batch) Add(method string, result any, args ...any) {
	b.AddDecoded(method, result, nil, args...)
}

// AddDecoded appends a read whose result decode reads once it is there.
func (b *Batch) AddDecoded(method string, result any, decode func() error, args ...any) {
	b.elems = append(b.elems, rpc.BatchElem{Method: method, Args: args, Result: result})
	b.decode = append(b.decode, decode)
	b.fails = append(b.fails, nil)
}

// try appends a read whose failure goes to err and does not fail the batch.
func (b *Batch) try(err *error, method string, result any, args ...any) {
	b.Add(method, result, args...)
	b.fails[len(b.fails)-1] = err
}

// Call appends a contract's view at a block: "latest", or a hexutil.Uint64.
func Call[T any](b *Batch, to common.Address, data []byte, unpack func([]byte) (T, error), into *T, block any) {
	out := new(hexutil.Bytes)
	b.AddDecoded("eth_call", out, func() error {
		value, err := unpack(*out)
		if err != nil {
			return fmt.Errorf("the contract at %s answered in another format than the network's contract: %w", to, err)
		}
		*into = value
		return nil
	}, map[string]any{"to": to, "data": hexutil.Bytes(data)}, block)
}

// Refused reports whether the node answered one of the reads with an error.
func (b *Batch) Refused() bool {
	return slices.ContainsFunc(b.elems, func(elem rpc.BatchElem) bool { return elem.Error != nil })
}

// Settle decodes the answers of Send, and returns the first error.
func (b *Batch) Settle() error {
	for i, elem := range b.elems {
		switch err := classify(elem.Error); {
		case err != nil && b.fails[i] == nil:
			return err
		case err != nil:
			*b.fails[i] = err
		case b.decode[i] != nil:
			if err := b.decode[i](); err != nil {
				return err
			}
		}
	}
	return nil
}

// Do asks everything in one request. The first error of a read is the batch's.
func (c *Client) Do(ctx context.Context, b *Batch) error {
	if err := c.Send(ctx, b); err != nil {
		return err
	}
	return b.Settle()
}

// Send asks one node for everything in the batches, in as few requests as it accepts. It fails
// if no node can be asked, and not for an error answer.
func (c *Client) Send(ctx context.Context, batches ...*Batch) error {
	var elems []rpc.BatchElem
	for _, b := range batches {
		elems = append(elems, b.elems...)
	}
	err := c.ask(ctx, elems)
	for _, b := range batches {
		elems = elems[copy(b.elems, elems):]
	}
	return err
}

// Get asks for a single value.
func (c *Client) Get(ctx context.Context, result any, method string, args ...any) error {
	b := new(Batch)
	b.Add(method, result, args...)
	return c.Do(ctx, b)
}

// classify adds context to a node's error answer: a revert is the contract's, any other error
// names the node.
func classify(err error) error {
	said, ok := err.(*AnswerError)
	if !ok {
		return err
	}
	if revert := said.revert(); revert != nil {
		return revert
	}
	return fmt.Errorf("the node at %s answered: %w", said.URL, said)
}
