package tx

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
)

// chainAt is a node at one moment. What a test does not set, the node does not have.
type chainAt struct {
	Backend
	head     uint64
	used     uint64
	receipts map[common.Hash]*types.Receipt
	known    map[common.Hash]bool
	sent     []common.Hash
}

func (c *chainAt) Head(context.Context) (chain.Head, error) { return chain.Head{Number: c.head}, nil }
func (c *chainAt) NonceAt(context.Context, common.Address) (uint64, error) {
	return c.used, nil
}
func (c *chainAt) KnowsTransaction(_ context.Context, hash common.Hash) (bool, error) {
	return c.known[hash], nil
}
func (c *chainAt) SendTransaction(_ context.Context, sent *types.Transaction) error {
	c.sent = append(c.sent, sent.Hash())
	return nil
}
func (c *chainAt) TransactionReceipt(_ context.Context, hash common.Hash) (*types.Receipt, error) {
	if r := c.receipts[hash]; r != nil {
		return r, nil
	}
	return nil, ethereum.NotFound
}

// earlier is a journal that only knows what comes before.
type earlier struct {
	Journal
	intents []*Intent
}

func (e earlier) Between(_ context.Context, _ common.Address, from, to uint64) (list []*Intent, err error) {
	for _, i := range e.intents {
		if i.Nonce >= from && i.Nonce < to {
			list = append(list, i)
		}
	}
	return list, nil
}

func intentWith(nonce uint64) *Intent {
	signed := types.NewTx(&types.LegacyTx{Nonce: nonce, To: &common.Address{1}, GasPrice: big.NewInt(1)})
	return &Intent{Nonce: nonce, State: Open, Attempts: []Attempt{{Tx: signed, Kind: KindCall}}}
}

// TestLostNeedsMoreThanOneLook: a node knows of a block before it knows its receipts.
func TestLostNeedsMoreThanOneLook(t *testing.T) {
	node := &chainAt{used: 8}
	w := waiting{node: node, journal: earlier{}, intent: intentWith(7)}
	for range lostAfter*looksBetween - 1 {
		receipt, err := w.look(t.Context())
		require.NoError(t, err)
		require.Nil(t, receipt)
	}
	_, err := w.look(t.Context())
	require.True(t, errors.Is(err, errLost))
	require.Empty(t, node.sent, "nothing is sent for a nonce that is gone")

	// The receipt came late after all.
	w = waiting{node: node, journal: earlier{}, intent: intentWith(7)}
	for range 2 * looksBetween {
		_, err := w.look(t.Context())
		require.NoError(t, err)
	}
	mined := &types.Receipt{TxHash: w.intent.Newest().Hash(), BlockNumber: big.NewInt(1)}
	node.receipts = map[common.Hash]*types.Receipt{mined.TxHash: mined}
	receipt, err := w.look(t.Context())
	require.NoError(t, err)
	require.Equal(t, mined, receipt)
}

// TestWhatComesBeforeIsSentAgain: a transaction waits for all lower nonces.
func TestWhatComesBeforeIsSentAgain(t *testing.T) {
	five, six, seven := intentWith(5), intentWith(6), intentWith(7)
	node := &chainAt{used: 5, known: map[common.Hash]bool{six.Newest().Hash(): true}}
	w := waiting{node: node, journal: earlier{intents: []*Intent{intentWith(4), five, six}}, intent: seven}
	for range looksBetween {
		_, err := w.look(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, []common.Hash{five.Newest().Hash(), seven.Newest().Hash()}, node.sent)
}

// TestConfirmationsAreOfOneChain: a block that was replaced confirms nothing.
func TestConfirmationsAreOfOneChain(t *testing.T) {
	intent := intentWith(0)
	hash := intent.Newest().Hash()
	in := func(block common.Hash, number int64) map[common.Hash]*types.Receipt {
		return map[common.Hash]*types.Receipt{hash: {TxHash: hash, BlockHash: block, BlockNumber: big.NewInt(number)}}
	}
	node := &chainAt{head: 10, used: 1, receipts: in(common.Hash{1}, 10)}
	w := waiting{node: node, journal: earlier{}, intent: intent, confirmations: 3}
	look := func() *types.Receipt {
		receipt, err := w.look(t.Context())
		require.NoError(t, err)
		return receipt
	}
	require.Nil(t, look())
	node.head = 11
	require.Nil(t, look())
	node.head, node.receipts = 12, in(common.Hash{2}, 12)
	require.Nil(t, look(), "it is in another block now")
	node.head = 14
	require.Equal(t, common.Hash{2}, look().BlockHash)
}
