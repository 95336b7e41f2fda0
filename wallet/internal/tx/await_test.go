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

// chainAt is a node at one moment, with only what a test sets.
type chainAt struct {
	Backend
	head     uint64
	used     uint64
	receipts map[common.Hash]*types.Receipt
	known    map[common.Hash]bool
	uses     []chain.NonceUse
	sent     []common.Hash

	// asked is called before a receipt is looked up.
	asked func()
}

func (c *chainAt) Head(context.Context) (chain.Head, error) { return chain.Head{Number: c.head}, nil }
func (c *chainAt) NonceAt(context.Context, common.Address) (uint64, error) {
	return c.used, nil
}
func (c *chainAt) NonceUses(context.Context, common.Address, uint64) []chain.NonceUse { return c.uses }
func (c *chainAt) KnowsTransaction(_ context.Context, hash common.Hash) (bool, error) {
	return c.known[hash], nil
}
func (c *chainAt) SendTransaction(_ context.Context, sent *types.Transaction) error {
	c.sent = append(c.sent, sent.Hash())
	return nil
}
func (c *chainAt) TransactionReceipt(_ context.Context, hash common.Hash) (*types.Receipt, error) {
	if c.asked != nil {
		c.asked()
	}
	if r := c.receipts[hash]; r != nil {
		return r, nil
	}
	return nil, ethereum.NotFound
}

// kept is a journal whose intents stay as the test set them.
type kept struct {
	Journal
	intents []*Intent
}

func (k kept) Unsettled(context.Context, common.Address) (list []*Intent, err error) {
	for _, i := range k.intents {
		if i.State.Unsettled() {
			list = append(list, i)
		}
	}
	return list, nil
}
func (k kept) Dropped(_ context.Context, _ common.Address, used uint64) (list []*Intent, err error) {
	for _, i := range k.intents {
		if i.SettledBy != (common.Hash{}) && i.Nonce >= used {
			list = append(list, i)
		}
	}
	return list, nil
}
func (kept) Reload(context.Context, *Intent) error { return nil }
func (k kept) Find(_ context.Context, hash common.Hash) (*Intent, error) {
	for _, i := range k.intents {
		if i.Has(hash) {
			return i, nil
		}
	}
	return nil, ErrUnknown
}
func (kept) Add(_ context.Context, intent *Intent, attempt Attempt) error {
	intent.Attempts = append(intent.Attempts, attempt)
	return nil
}

func intentWith(nonce uint64) *Intent { return intentOf(nonce, 0) }

// intentOf moves a value, which makes it a different intent.
func intentOf(nonce uint64, value int64) *Intent {
	signed := types.NewTx(&types.LegacyTx{Nonce: nonce, To: &common.Address{1}, GasPrice: big.NewInt(1), Value: big.NewInt(value)})
	return &Intent{ID: signed.Hash().Hex(), Account: common.Address{9}, Nonce: nonce, State: Open, Attempts: []Attempt{{Tx: signed, Kind: KindCall}}}
}

// usedBy is a node's report of the transaction that used a nonce.
func usedBy(used *types.Transaction, block uint64) chain.NonceUse {
	return chain.NonceUse{URL: "https://node", Used: true, Tx: used, Block: block}
}

// TestLostNeedsMoreThanOneLook: a block may be replaced, so another transaction with the nonce
// must be found look after look, in the same block and by every node.
func TestLostNeedsMoreThanOneLook(t *testing.T) {
	winner, another := intentOf(7, 1).Newest(), intentOf(7, 2).Newest()
	hidden := chain.NonceUse{URL: "https://other", Used: true, Err: errors.New("no such block")}
	for name, c := range map[string]struct {
		uses  [][]chain.NonceUse // look after look
		is    error
		lost  bool
		shown string
	}{
		"each time the same":         {uses: [][]chain.NonceUse{{usedBy(winner, 5)}, {usedBy(winner, 5)}, {usedBy(winner, 5)}}, lost: true},
		"in another block":           {uses: [][]chain.NonceUse{{usedBy(winner, 5)}, {usedBy(winner, 5)}, {usedBy(winner, 6)}}},
		"another transaction":        {uses: [][]chain.NonceUse{{usedBy(winner, 5)}, {usedBy(winner, 5)}, {usedBy(another, 5)}}},
		"hidden in between":          {uses: [][]chain.NonceUse{{usedBy(winner, 5)}, {hidden}, {usedBy(winner, 5)}}},
		"one of two hides it":        {uses: [][]chain.NonceUse{{usedBy(winner, 5), hidden}}, shown: "nonce 7 is used by a transaction that this node does not show"},
		"one of two has none":        {uses: [][]chain.NonceUse{{usedBy(winner, 5), {URL: "https://other"}}}, shown: "nonce 7 is not used yet according to the node at https://other"},
		"one of two does not answer": {uses: [][]chain.NonceUse{{usedBy(winner, 5), {URL: "https://other", Err: errors.New("down")}}}, shown: "does not say which transaction used nonce 7"},
		"two disagree":               {uses: [][]chain.NonceUse{{usedBy(winner, 5), usedBy(another, 5)}}, shown: "show different transactions with nonce 7"},
	} {
		t.Run(name, func(t *testing.T) {
			node := &chainAt{used: 8}
			w := waiting{Manager: Manager{Node: node, Journal: kept{}}, intent: intentWith(7)}
			for range looksBetween - 1 {
				receipt, err := w.look(t.Context())
				require.NoError(t, err)
				require.Nil(t, receipt)
			}
			var err error
			for _, uses := range c.uses {
				require.NoError(t, err)
				node.uses = uses
				_, err = w.look(t.Context())
			}
			var lost *LostError
			require.Equal(t, c.lost, errors.As(err, &lost), "%v", err)
			if c.lost {
				require.Equal(t, winner.Hash(), lost.By)
			}
			if c.shown != "" {
				require.ErrorContains(t, w.hidden, c.shown)
			}
			require.Empty(t, node.sent, "nothing is sent for a nonce that is used")
		})
	}

	t.Run("its receipt came late", func(t *testing.T) {
		node := &chainAt{used: 8}
		w := waiting{Manager: Manager{Node: node, Journal: kept{}}, intent: intentWith(7)}
		node.uses = []chain.NonceUse{usedBy(w.intent.Newest(), 1)}
		for range (lostAfter + 1) * looksBetween {
			_, err := w.look(t.Context())
			require.NoError(t, err)
		}
		mined := &types.Receipt{TxHash: w.intent.Newest().Hash(), BlockNumber: big.NewInt(1)}
		node.receipts = map[common.Hash]*types.Receipt{mined.TxHash: mined}
		receipt, err := w.look(t.Context())
		require.NoError(t, err)
		require.Equal(t, mined, receipt)
	})
}

// TestLostIsBuried: the transaction that used the nonce needs as many confirmations as the
// intent's own would.
func TestLostIsBuried(t *testing.T) {
	node := &chainAt{used: 8, head: 6, uses: []chain.NonceUse{usedBy(intentOf(7, 1).Newest(), 5)}}
	w := waiting{Manager: Manager{Node: node, Journal: kept{}}, intent: intentWith(7), AwaitOptions: AwaitOptions{Confirmations: 3}}
	for range lostAfter * looksBetween {
		_, err := w.look(t.Context())
		require.NoError(t, err)
	}
	node.head = 7
	_, err := w.look(t.Context())
	require.ErrorAs(t, err, new(*LostError))
}

// TestItsOwnIsNotForeign: a transaction of the same intent that was signed outside of this
// journal, as with a copy of the store, is the intent's own; the same call of another intent of
// the journal is not.
func TestItsOwnIsNotForeign(t *testing.T) {
	same := types.NewTx(&types.LegacyTx{Nonce: 7, To: &common.Address{1}, GasPrice: big.NewInt(2), Value: new(big.Int)})
	nothing := types.NewTx(&types.LegacyTx{Nonce: 7, To: &common.Address{9}, GasPrice: big.NewInt(2), Value: new(big.Int)})
	for kind, by := range map[Kind]*types.Transaction{KindBump: same, KindCancel: nothing} {
		node := &chainAt{used: 8, uses: []chain.NonceUse{usedBy(by, 5)}}
		w := waiting{Manager: Manager{Node: node, Journal: kept{}}, intent: intentWith(7)}
		for range looksBetween {
			_, err := w.look(t.Context())
			require.NoError(t, err)
		}
		require.Len(t, w.intent.Attempts, 2)
		require.Equal(t, kind, w.intent.Attempts[1].Kind)

		other := &Intent{ID: "other", Nonce: 7, State: Mined, Attempts: []Attempt{{Tx: by, Kind: KindCall}}}
		w = waiting{Manager: Manager{Node: node, Journal: kept{intents: []*Intent{other}}}, intent: intentWith(7)}
		var err error
		for range looksBetween + lostAfter - 1 {
			require.NoError(t, err)
			_, err = w.look(t.Context())
		}
		require.ErrorAs(t, err, new(*LostError))
	}
}

// TestWhatComesBeforeIsSentAgain: a transaction waits for all lower nonces. Those of other
// intents are resent only with the user's consent.
func TestWhatComesBeforeIsSentAgain(t *testing.T) {
	five, six, seven := intentWith(5), intentWith(6), intentWith(7)
	journal := kept{intents: []*Intent{intentWith(4), five, six, seven, intentWith(8)}}
	for _, agreed := range []bool{true, false} {
		node := &chainAt{used: 5, known: map[common.Hash]bool{six.Newest().Hash(): true}}
		w := waiting{Manager: Manager{Node: node, Journal: journal}, intent: seven, AwaitOptions: AwaitOptions{WithPending: agreed}}
		for range looksBetween {
			_, err := w.look(t.Context())
			require.NoError(t, err)
		}
		want := []common.Hash{seven.Newest().Hash()}
		if agreed {
			want = []common.Hash{five.Newest().Hash(), seven.Newest().Hash()}
		}
		require.Equal(t, want, node.sent)
		require.Equal(t, Behind(five), w.behind)
	}

	// One that was mined fills it if its block was replaced, and is named.
	mined := intentWith(3)
	mined.State, mined.SettledBy = Mined, mined.Newest().Hash()
	node := &chainAt{used: 3}
	w := waiting{Manager: Manager{Node: node, Journal: kept{intents: append([]*Intent{mined}, journal.intents...)}}, intent: seven}
	for range looksBetween {
		_, err := w.look(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, Behind(mined), w.behind)
	require.Equal(t, []common.Hash{seven.Newest().Hash()}, node.sent)

	// No known transaction fills the gap.
	node = &chainAt{used: 3}
	w = waiting{Manager: Manager{Node: node, Journal: journal}, intent: seven}
	for range looksBetween {
		_, err := w.look(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, Gap(3), w.behind)
}

// TestARefusedOneLeavesItsNonceToAnOpenOne: two intents with one nonce do not compete.
func TestARefusedOneLeavesItsNonceToAnOpenOne(t *testing.T) {
	open, refused := intentOf(5, 1), intentOf(5, 2)
	refused.State = Refused
	node := &chainAt{used: 5}
	w := waiting{Manager: Manager{Node: node, Journal: kept{intents: []*Intent{open, refused}}}, intent: refused, AwaitOptions: AwaitOptions{WithPending: true}}
	for range looksBetween {
		_, err := w.look(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, []common.Hash{open.Newest().Hash()}, node.sent)
}

// TestConfirmationsAreOfOneChain: a replaced block confirms nothing, even if the head already
// belongs to the new chain.
func TestConfirmationsAreOfOneChain(t *testing.T) {
	intent := intentWith(0)
	hash := intent.Newest().Hash()
	in := func(block common.Hash, number int64) map[common.Hash]*types.Receipt {
		return map[common.Hash]*types.Receipt{hash: {TxHash: hash, BlockHash: block, BlockNumber: big.NewInt(number)}}
	}
	node := &chainAt{head: 10, used: 1, receipts: in(common.Hash{1}, 10)}
	w := waiting{Manager: Manager{Node: node, Journal: kept{}}, intent: intent, AwaitOptions: AwaitOptions{Confirmations: 3}}
	look := func() *types.Receipt {
		receipt, err := w.look(t.Context())
		require.NoError(t, err)
		return receipt
	}
	require.Nil(t, look())
	node.head = 11
	require.Nil(t, look())
	// The chain is replaced between reading the receipt and reading the head.
	node.asked = func() {
		if node.head == 12 {
			node.receipts = in(common.Hash{2}, 12)
		}
		node.head = 12
	}
	require.Nil(t, look(), "it is in another block now")
	node.asked = nil
	node.head = 13
	require.Nil(t, look())
	node.head = 14
	require.Equal(t, common.Hash{2}, look().BlockHash)
}
