package nodes

import (
	"context"
	"encoding/json"
	"errors"
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

// OnL2 tells whether the block's transactions are posted to another chain, for which they
// pay as well.
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

// UpToDate fails with *StaleError when a head is older than the network allows: what the
// node says of the chain is then no ground for a payment or a transaction.
func (c *Client) UpToDate(head Head) error {
	if age := time.Since(head.Time); c.network.MaxHeadAge > 0 && age > c.network.MaxHeadAge {
		return &StaleError{URL: c.URL(), Age: age, Max: c.network.MaxHeadAge}
	}
	return nil
}

// Head appends a read of the newest block. It reads the raw answer, since the usual
// client drops the field that tells the L1 block.
func (b *Batch) Head(into *Head) {
	raw := new(json.RawMessage)
	b.AddDecoded("eth_getBlockByNumber", raw, func() (err error) {
		*into, err = parseHead(*raw)
		return err
	}, "latest", false)
}

// headForm checks the newest block, and puts it into the form that parseHead reads.
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
	switch l1 := block["l1BlockNumber"]; {
	case !isNull(l1) && l1[0] == '"':
		block["l1BlockNumber"], err = quantity(l1)
	case !isNull(l1): // a local test node's
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

// errNoL1Block is an Arbitrum block that does not tell its L1 block. Its own number, which
// is fifteen times as high, cannot stand in for that.
var errNoL1Block = errors.New("l1BlockNumber is missing, which Arbitrum's blocks have and rounds and ticket params are counted in")

// countsL1Blocks tells whether a chain is one of Arbitrum's, whose blocks name the L1
// block that rounds are counted in.
func countsL1Blocks(chainID uint64) bool {
	switch chainID {
	case 42161, 42170, 421613, 421614, 412346: // One, Nova, Goerli, Sepolia, and a local one
		return true
	}
	return false
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
