package nodes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// Head is the newest block of a chain.
type Head struct {
	// Number is the block's own number.
	Number uint64

	// L1Block is the block number of rounds and ticket params: the L1 block of an Arbitrum
	// block, and the block's own number elsewhere.
	L1Block uint64

	// Hash is the block's own hash.
	Hash common.Hash

	// Time is when the block was made.
	Time time.Time

	// BaseFee is in wei per unit of gas; nil if there is none.
	BaseFee *hexutil.Big
}

// OnL2 reports whether the block's transactions also pay for being posted to another chain.
func (h Head) OnL2() bool { return h.L1Block != h.Number }

// Head returns the newest block.
func (c *Client) Head(ctx context.Context) (Head, error) {
	b := new(Batch)
	var head Head
	b.Head(&head)
	if err := c.Do(ctx, b); err != nil {
		return Head{}, err
	}
	return head, nil
}

// UpToDate fails with *StaleError if a head is older than the network allows. The node's data
// must not be the basis of a payment or a transaction then.
func (c *Client) UpToDate(head Head) error {
	if age := time.Since(head.Time); c.network.MaxHeadAge > 0 && age > c.network.MaxHeadAge {
		return &StaleError{URL: c.URL(), Age: age, Max: c.network.MaxHeadAge}
	}
	return nil
}

// Head appends a read of the newest block, as raw JSON, since the usual client drops the L1 block.
func (b *Batch) Head(into *Head) {
	raw := new(json.RawMessage)
	b.AddDecoded("eth_getBlockByNumber", raw, func() (err error) {
		*into, err = parseHead(*raw)
		return err
	}, "latest", false)
}

// headForm checks the newest block, and returns it in the form that parseHead reads.
func headForm(chainID uint64, raw json.RawMessage) (json.RawMessage, error) {
	if string(raw) == "null" {
		return nil, errors.New("there is no newest block")
	}
	raw, err := object(raw, []string{"number", "timestamp"}, []string{"hash"}, []string{"baseFeePerGas"})
	if err != nil {
		return nil, err
	}
	var block map[string]json.RawMessage
	if err := json.Unmarshal(raw, &block); err != nil {
		return nil, err
	}
	if fee := block["baseFeePerGas"]; !isNull(fee) {
		if _, err := price(fee); err != nil {
			return nil, fmt.Errorf("baseFeePerGas: %w", err)
		}
	}
	switch l1 := block["l1BlockNumber"]; {
	case !isNull(l1) && l1[0] == '"':
		block["l1BlockNumber"], err = quantity(l1)
	case !isNull(l1): // of a local test node
		var n uint64
		if n, err = strconv.ParseUint(string(l1), 10, 64); err == nil {
			block["l1BlockNumber"], err = json.Marshal(hexutil.Uint64(n))
		}
	case countsL1Blocks(chainID) || !isNull(block["sendRoot"]):
		return nil, errNoL1Block
	}
	if err != nil {
		return nil, fmt.Errorf("l1BlockNumber: %w", err)
	}
	if raw, err = json.Marshal(block); err == nil {
		_, err = parseHead(raw)
	}
	return raw, err
}

// errNoL1Block is an Arbitrum block without its L1 block. Its own number, which is fifteen
// times as high, cannot replace it.
var errNoL1Block = errors.New("l1BlockNumber is missing, the L1 block of an Arbitrum block, in which rounds and ticket params are counted")

// countsL1Blocks reports whether a chain is one of Arbitrum's, which count rounds in L1 blocks.
func countsL1Blocks(chainID uint64) bool {
	return slices.Contains([]uint64{42161, 42170, 421613, 421614, 412346}, chainID) // One, Nova, Goerli, Sepolia, and a local one
}

// parseHead reads a newest block that headForm has checked.
func parseHead(raw []byte) (Head, error) {
	var block struct {
		Number        hexutil.Uint64  `json:"number"`
		Hash          common.Hash     `json:"hash"`
		Timestamp     hexutil.Uint64  `json:"timestamp"`
		BaseFee       *hexutil.Big    `json:"baseFeePerGas"`
		L1BlockNumber *hexutil.Uint64 `json:"l1BlockNumber"`
	}
	if err := json.Unmarshal(raw, &block); err != nil {
		return Head{}, err
	}
	head := Head{
		Number:  uint64(block.Number),
		L1Block: uint64(block.Number),
		Hash:    block.Hash,
		Time:    time.Unix(int64(block.Timestamp), 0).UTC(),
		BaseFee: block.BaseFee,
	}
	if block.L1BlockNumber != nil {
		head.L1Block = uint64(*block.L1BlockNumber)
	}
	return head, nil
}
