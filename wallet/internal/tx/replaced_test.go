package tx

import (
	"context"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"
)

// replaced is a journal that an older copy has replaced.
type replaced struct{ kept }

func (replaced) Reload(context.Context, *Intent) error          { return ErrReplaced }
func (replaced) Record(context.Context, *Intent, Outcome) error { return ErrReplaced }

// unread is one that only detects that when it writes.
type unread struct{ replaced }

func (unread) Reload(context.Context, *Intent) error { return nil }

// TestAReplacedJournalIsNotWaitedFor: waiting does not restore it. The transaction's outcome is
// reported all the same.
func TestAReplacedJournalIsNotWaitedFor(t *testing.T) {
	sent := types.NewTx(&types.LegacyTx{To: new(common.Address), Value: new(big.Int), GasPrice: new(big.Int)})
	intent := &Intent{State: Open, Attempts: []Attempt{{Tx: sent, Kind: KindCall}}}
	node := &chainAt{known: map[common.Hash]bool{}}
	_, err := Manager{Node: node, Journal: replaced{}}.Await(t.Context(), intent, AwaitOptions{})
	var waiting *NotMinedError
	require.ErrorAs(t, err, &waiting)
	require.ErrorIs(t, err, ErrReplaced)
	require.NoError(t, t.Context().Err())

	node.receipts = map[common.Hash]*types.Receipt{sent.Hash(): {TxHash: sent.Hash(), BlockNumber: big.NewInt(7), Status: 1}}
	receipt, err := Manager{Node: node, Journal: unread{}}.Await(t.Context(), intent, AwaitOptions{})
	require.NoError(t, err)
	require.Equal(t, sent.Hash(), receipt.TxHash)
}
