package tx_test

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/tx"
)

// TestQueue: the next nonce is the lowest that the chain and the journal leave free,
// whatever the node counts as pending.
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
		"nothing":                      {used: 5, pending: 5, nonce: 5},
		"behind the journal":           {used: 3, pending: 3, settled: 5, nonce: 5},
		"a node's pool was lost":       {used: 5, pending: 5, unsettled: []*tx.Intent{with(tx.Open, 5), with(tx.Open, 6)}, nonce: 7, open: 2},
		"a gap":                        {used: 5, pending: 5, unsettled: []*tx.Intent{with(tx.Open, 6)}, nonce: 5, open: 1},
		"all pending ones are known":   {used: 5, pending: 7, unsettled: []*tx.Intent{with(tx.Open, 5), with(tx.Open, 6)}, nonce: 7, open: 2},
		"some are not":                 {used: 5, pending: 9, unsettled: []*tx.Intent{with(tx.Open, 5), with(tx.Open, 7)}, nonce: 6, open: 2, unknown: 2},
		"a refused one is pending":     {used: 5, pending: 6, unsettled: []*tx.Intent{with(tx.Refused, 5)}, nonce: 5, refused: 1},
		"a refused one holds no nonce": {used: 5, pending: 6, unsettled: []*tx.Intent{with(tx.Open, 5), with(tx.Refused, 5)}, nonce: 6, open: 1, refused: 1},
		"a refused one is out":         {used: 5, pending: 5, settled: 6, unsettled: []*tx.Intent{with(tx.Refused, 5)}, nonce: 6},
		"any number":                   {used: 5, pending: 1 << 60, nonce: 5, unknown: 1<<60 - 5},
	} {
		q := tx.NewQueue(c.used, c.pending, c.settled, c.unsettled)
		require.Equal(t, c.nonce, q.Nonce, name)
		require.Equal(t, c.unknown, q.Unknown, name)
		require.Len(t, q.Open, c.open, name)
		require.Len(t, q.Refused, c.refused, name)
	}
}
