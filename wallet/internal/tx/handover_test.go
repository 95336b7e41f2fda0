package tx

import (
	"context"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
)

// counting is a node that counts nonces, and may fail to say whether it has a transaction.
type counting struct {
	chainAt
	pending uint64
	knows   error
}

func (counting) ChainID() *big.Int         { return big.NewInt(1) }
func (counting) UpToDate(chain.Head) error { return nil }
func (c *counting) Nonces(context.Context, common.Address) (used, pending uint64, err error) {
	return c.used, c.pending, nil
}

func (c *counting) KnowsTransaction(ctx context.Context, hash common.Hash) (bool, error) {
	if c.knows != nil {
		return false, c.knows
	}
	return c.chainAt.KnowsTransaction(ctx, hash)
}

// handing is a journal for transactions that were signed elsewhere.
type handing struct {
	kept
	slot               Slot
	adopt, add, moving error
	added              int
}

func (h *handing) Begin(_ context.Context, _ *Intent, slot Slot) error { h.slot = slot; return nil }
func (h *handing) Adopt(context.Context, *Intent) error                { return h.adopt }
func (h *handing) Move(context.Context, *Intent, Slot) error           { return h.moving }
func (h *handing) Add(context.Context, *Intent, Attempt) error         { h.added++; return h.add }

// TestASignedTransactionIsNotUnknown: the pending transaction may be the one that is submitted;
// it is another one only if the node says so.
func TestASignedTransactionIsNotUnknown(t *testing.T) {
	intent := intentWith(7)
	signed := intent.Newest()
	submit := func(node *counting) (*handing, error) {
		journal := new(handing)
		_, err := Manager{Node: node, Journal: journal}.SubmitSigned(t.Context(), intent, signed, Terms{})
		return journal, err
	}
	for name, c := range map[string]struct {
		pending uint64
		known   bool
		want    uint64
	}{
		"nothing is pending":     {7, false, 7},
		"it is pending itself":   {8, true, 7},
		"another one is pending": {8, false, 8},
		"the node is behind":     {6, true, 6},
	} {
		node := &counting{chainAt: chainAt{used: 7, known: map[common.Hash]bool{signed.Hash(): c.known}}, pending: c.pending}
		journal, err := submit(node)
		require.NoError(t, err, name)
		require.Equal(t, c.want, journal.slot.Pending, name)
		require.Equal(t, []common.Hash{signed.Hash()}, node.sent, name)
	}
	_, err := submit(&counting{chainAt: chainAt{used: 7}, pending: 8, knows: errDown})
	require.ErrorIs(t, err, errDown)
	_, err = submit(&counting{chainAt: chainAt{used: 7}, pending: 7, knows: errDown})
	require.NoError(t, err, "it is not asked where nothing is pending")
}

// TestASignedTransactionIsHandedOverAgain, unless it is settled or another run has it.
func TestASignedTransactionIsHandedOverAgain(t *testing.T) {
	again := func(state State, journal *handing) (*counting, error) {
		intent := intentWith(7)
		intent.State = state
		journal.intents = []*Intent{intent}
		node := &counting{chainAt: chainAt{used: 7}, pending: 7}
		found, err := Manager{Node: node, Journal: journal}.SubmitSigned(t.Context(), &Intent{}, intent.Newest(), Terms{})
		require.Same(t, intent, found)
		return node, err
	}
	for state, want := range map[State]struct{ sent, added int }{Open: {1, 0}, Refused: {1, 1}, Mined: {0, 0}} {
		journal := new(handing)
		node, err := again(state, journal)
		require.NoError(t, err)
		require.Len(t, node.sent, want.sent, state)
		require.Equal(t, want.added, journal.added, state)
	}
	for _, journal := range []*handing{{adopt: errDown}, {add: errDown}} {
		node, err := again(Refused, journal)
		require.ErrorIs(t, err, errDown)
		require.Empty(t, node.sent)
	}
}

// fixed signs for an account.
type fixed common.Address

func (f fixed) Address() common.Address { return common.Address(f) }
func (fixed) SignTx(_ context.Context, tx *types.Transaction, _ *big.Int) (*types.Transaction, error) {
	return tx, nil
}

// TestWhatIsMovedIsInTheJournalFirst: a transaction that is not in the journal is not sent.
func TestWhatIsMovedIsInTheJournalFirst(t *testing.T) {
	intent := intentWith(7)
	node := &counting{chainAt: chainAt{used: 8}, pending: 8}
	prepared := &Prepared{From: intent.Account}
	manager := Manager{node, &handing{moving: errDown}, fixed(intent.Account)}
	require.ErrorIs(t, manager.Submit(t.Context(), prepared, intent, Terms{}), errDown)
	require.Empty(t, node.sent)
	manager.Journal = new(handing)
	require.NoError(t, manager.Submit(t.Context(), prepared, intent, Terms{}))
	require.Len(t, node.sent, 1)
}
