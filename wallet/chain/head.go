package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// Head is the newest block of a chain.
type Head struct {
	// Number is the block's own number.
	Number uint64

	// L1Block is the block number that rounds and params count in: the L1 block that
	// an Arbitrum block names, the block's own number elsewhere.
	L1Block uint64

	// Hash is the block's own hash.
	Hash common.Hash

	// Time is when the block was made.
	Time time.Time

	// BaseFee is in wei a unit of gas; nil where there is none.
	BaseFee *hexutil.Big
}

// Head returns the newest block.
func (c *Client) Head(ctx context.Context) (Head, error) {
	b := new(batch)
	var head Head
	b.head(&head)
	if err := c.do(ctx, b); err != nil {
		return Head{}, err
	}
	return head, nil
}

// UpToDate fails with *StaleError when a head is older than the network allows: what the
// node says of the chain is then no ground for a payment or a transaction.
func (c *Client) UpToDate(head Head) error {
	if age := time.Since(head.Time); c.network.MaxHeadAge > 0 && age > c.network.MaxHeadAge {
		return &StaleError{URL: c.url, Age: age, Max: c.network.MaxHeadAge}
	}
	return nil
}

// head appends a read of the newest block. It reads the raw answer, since the usual
// client drops the field that tells the L1 block.
func (b *batch) head(into *Head) {
	raw := new(json.RawMessage)
	b.add("eth_getBlockByNumber", raw, "latest", false)
	b.decode[len(b.decode)-1] = func() error {
		head, err := parseHead(*raw)
		*into = head
		return err
	}
}

func parseHead(raw []byte) (Head, error) {
	var block *struct {
		Number        *hexutil.Uint64 `json:"number"`
		Hash          common.Hash     `json:"hash"`
		Timestamp     hexutil.Uint64  `json:"timestamp"`
		BaseFee       *hexutil.Big    `json:"baseFeePerGas"`
		L1BlockNumber json.RawMessage `json:"l1BlockNumber"`
	}
	if err := json.Unmarshal(raw, &block); err != nil {
		return Head{}, fmt.Errorf("%w: the newest block is not in Ethereum's form: %w", ErrUnreachable, err)
	}
	if block == nil || block.Number == nil {
		return Head{}, fmt.Errorf("%w: the node has no newest block", ErrUnreachable)
	}
	head := Head{
		Number:  uint64(*block.Number),
		L1Block: uint64(*block.Number),
		Hash:    block.Hash,
		Time:    time.Unix(int64(block.Timestamp), 0).UTC(),
		BaseFee: block.BaseFee,
	}
	if len(block.L1BlockNumber) != 0 && string(block.L1BlockNumber) != "null" {
		l1, err := parseL1Number(block.L1BlockNumber)
		if err != nil {
			return Head{}, fmt.Errorf("%w: l1BlockNumber: %w", ErrUnreachable, err)
		}
		head.L1Block = l1
	}
	return head, nil
}

// parseL1Number reads a block number that nodes write as hex text (Arbitrum) or as a
// JSON number (its local test nodes).
func parseL1Number(raw json.RawMessage) (uint64, error) {
	if raw[0] == '"' {
		var n hexutil.Uint64
		err := json.Unmarshal(raw, &n)
		return uint64(n), err
	}
	return strconv.ParseUint(string(raw), 10, 64)
}
