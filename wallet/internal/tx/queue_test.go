package tx_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/internal/tx"
)

// TestQueue: the next nonce is the lowest that is free in the chain and the journal, whatever
// the node counts as pending.
func TestQueue(t *testing.T) {
	with := func(state tx.State, nonce uint64) *tx.Intent {
		signed := types.NewTx(&types.LegacyTx{Nonce: nonce, To: &common.Address{1}})
		return &tx.Intent{ID: string(state), Nonce: nonce, State: state, Attempts: []tx.Attempt{{Tx: signed}}}
	}
	for name, c := range map[string]struct {
		used, pending, settled uint64
		unsettled              []*tx.Intent
		nonce, unknown         uint64
		open, refused          int
	}{
		"nothing":                             {used: 5, pending: 5, nonce: 5},
		"behind the journal":                  {used: 3, pending: 3, settled: 5, nonce: 5},
		"a node's pool was lost":              {used: 5, pending: 5, unsettled: []*tx.Intent{with(tx.Open, 5), with(tx.Open, 6)}, nonce: 7, open: 2},
		"a gap":                               {used: 5, pending: 5, unsettled: []*tx.Intent{with(tx.Open, 6)}, nonce: 5, open: 1},
		"all pending ones are known":          {used: 5, pending: 7, unsettled: []*tx.Intent{with(tx.Open, 5), with(tx.Open, 6)}, nonce: 7, open: 2},
		"some are not":                        {used: 5, pending: 9, unsettled: []*tx.Intent{with(tx.Open, 5), with(tx.Open, 7)}, nonce: 6, open: 2, unknown: 2},
		"a refused one is pending":            {used: 5, pending: 6, unsettled: []*tx.Intent{with(tx.Refused, 5)}, nonce: 5, refused: 1},
		"a refused one leaves its nonce free": {used: 5, pending: 6, unsettled: []*tx.Intent{with(tx.Open, 5), with(tx.Refused, 5)}, nonce: 6, open: 1, refused: 1},
		"a refused one is out":                {used: 5, pending: 5, settled: 6, unsettled: []*tx.Intent{with(tx.Refused, 5)}, nonce: 6},
		"known ones above a gap":              {used: 5, pending: 9, unsettled: []*tx.Intent{with(tx.Open, 6), with(tx.Open, 8)}, nonce: 5, open: 2, unknown: 2},
		"known ones above the node's":         {used: 5, pending: 6, unsettled: []*tx.Intent{with(tx.Open, 6), with(tx.Open, 7)}, nonce: 5, open: 2, unknown: 1},
		"any number":                          {used: 5, pending: 1 << 60, nonce: 5, unknown: 1<<60 - 5},
	} {
		q := tx.NewQueue(c.used, c.pending, c.settled, c.unsettled)
		require.Equal(t, c.nonce, q.Nonce, name)
		require.Equal(t, c.unknown, q.Unknown, name)
		require.Len(t, q.Open, c.open, name)
		require.Len(t, q.Refused, c.refused, name)
	}
}

// TestWhatIsPendingIsNamed names each transaction with its amount, in the singular and the
// plural.
func TestWhatIsPendingIsNamed(t *testing.T) {
	with := func(nonce uint64) *tx.Intent {
		signed := types.NewTx(&types.LegacyTx{Nonce: nonce, To: &common.Address{1}, Value: big.NewInt(int64(nonce))})
		return &tx.Intent{Nonce: nonce, State: tx.Open, Label: tx.LabelUnlock, Attempts: []tx.Attempt{{Tx: signed}}}
	}
	one, two := with(5), with(6)
	require.EqualError(t, &tx.PendingError{Queue: tx.Queue{Open: []*tx.Intent{one}}},
		"an earlier transaction of the account is not mined yet, and would be mined together with this one: "+one.Describe())
	require.EqualError(t, &tx.PendingError{Queue: tx.Queue{Open: []*tx.Intent{one, two}}},
		"2 earlier transactions of the account are not mined yet, and would be mined together with this one: "+one.Describe()+"; "+two.Describe())
	require.Contains(t, one.Describe(), "with nonce 5, which moves 5 wei")
	require.ErrorContains(t, tx.Terms{}.Agree(tx.Queue{Nonce: 7, Unknown: 1}), "counts 1 pending transaction of the account from nonce 7 on")
	require.ErrorContains(t, tx.Terms{}.Agree(tx.Queue{Nonce: 7, Unknown: 2}), "counts 2 pending transactions of")
	require.EqualError(t, tx.Failed(common.Hash{}, nil), "transaction "+common.Hash{}.Hex()+" was mined and failed")
	require.EqualError(t, tx.Failed(common.Hash{}, tx.ErrPrice), "transaction "+common.Hash{}.Hex()+" was mined and failed: "+tx.ErrPrice.Error())
}

// TestAQueueWithoutAnIntent has the others.
func TestAQueueWithoutAnIntent(t *testing.T) {
	one, two, three := &tx.Intent{ID: "1"}, &tx.Intent{ID: "2"}, &tx.Intent{ID: "3"}
	q := tx.Queue{Open: []*tx.Intent{one, two}, Refused: []*tx.Intent{three, one}}
	require.Equal(t, q, q.Without(nil))
	require.Equal(t, tx.Queue{Open: []*tx.Intent{two}, Refused: []*tx.Intent{three}}, q.Without(one))
}
