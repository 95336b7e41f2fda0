package tx_test

import (
	"context"
	"errors"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// keeping is a world with a journal in a store of its own.
type keeping struct {
	*world
	path string
}

func newKeeping(t *testing.T) keeping {
	return keeping{newWorld(t), filepath.Join(t.TempDir(), "store.db")}
}

// journal opens the store as one run does.
func (k keeping) journal() *store.Journal {
	k.t.Helper()
	return journalAt(k.t, k.path)
}

func journalAt(t *testing.T, path string) *store.Journal {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	require.NoError(t, err)
	journal := s.Journal("devnet")
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, journal.Close())
	})
	return journal
}

func (k keeping) submit(node tx.Backend, journal tx.Journal, value uint64, label tx.Label) (*tx.Intent, error) {
	k.t.Helper()
	intent := &tx.Intent{Label: label}
	return intent, tx.Manager{Node: node, Journal: journal, Signer: k.signer}.Submit(k.t.Context(), k.prepare(node, k.deposit(wei.FromUint64(value))), intent, tx.Terms{})
}

// watched calls a function with each transaction before the node gets it.
type watched struct {
	tx.Backend
	sending func(*types.Transaction)
}

func (w watched) SendTransaction(ctx context.Context, sent *types.Transaction) error {
	w.sending(sent)
	return w.Backend.SendTransaction(ctx, sent)
}

// TestNothingIsSentBeforeTheJournalHasIt: when a node gets a transaction, another process finds
// it in the store, with its intent.
func TestNothingIsSentBeforeTheJournalHasIt(t *testing.T) {
	k := newKeeping(t)
	require.NoError(t, k.net.SetAutomine(t.Context(), false))
	sent := 0
	node := watched{k.client, func(signed *types.Transaction) {
		sent++
		intent, err := k.journal().Find(t.Context(), signed.Hash())
		require.NoError(t, err)
		require.Equal(t, signed.Nonce(), intent.Nonce)
		require.Len(t, intent.Attempts, sent)
	}}
	journal := k.journal()
	intent, err := k.submit(node, journal, 1, "fund 1")
	require.NoError(t, err)
	bump, err := tx.Manager{Node: node}.PrepareReplacement(t.Context(), intent, tx.KindBump, tx.Caps{})
	require.NoError(t, err)
	require.NoError(t, tx.Manager{Node: node, Journal: journal, Signer: k.signer}.Replace(t.Context(), bump, intent, tx.KindBump))
	require.Equal(t, 2, sent)
}

// late is a node that accepts a transaction, answers that its nonce is too low, and does not
// show it for a while.
type late struct {
	tx.Backend
	hides bool
}

func (l *late) SendTransaction(ctx context.Context, sent *types.Transaction) error {
	if err := l.Backend.SendTransaction(ctx, sent); err != nil {
		return err
	}
	// It is mined: the node's own answer to the next one with this nonce.
	to := common.Address{1}
	return l.Backend.SendTransaction(ctx, types.NewTx(&types.DynamicFeeTx{
		ChainID: sent.ChainId(), Nonce: sent.Nonce(), To: &to, Gas: 1, GasFeeCap: big.NewInt(1), GasTipCap: big.NewInt(1),
	}))
}

func (l *late) KnowsTransaction(ctx context.Context, hash common.Hash) (bool, error) {
	if l.hides {
		return false, nil
	}
	return l.Backend.KnowsTransaction(ctx, hash)
}

// refuser refuses each transaction, with a node's kind of error.
type refuser struct {
	tx.Backend
	says error
}

func (r refuser) SendTransaction(context.Context, *types.Transaction) error { return r.says }

// nodesError is an error answer of a node.
type nodesError string

func (e nodesError) Error() string { return string(e) }
func (nodesError) ErrorCode() int  { return -32000 }

// TestNonceTooLowIsNoRefusal: the nonce is used, perhaps by this transaction. It stays open,
// and waiting settles it.
func TestNonceTooLowIsNoRefusal(t *testing.T) {
	k := newKeeping(t)
	journal := k.journal()
	_, nonce := k.account()
	mined, err := k.submit(k.client, journal, 1, "fund 1")
	require.NoError(t, err)

	// Another run resends it once it is mined, through a node that does not show it.
	again := k.journal()
	found, err := again.Find(t.Context(), mined.Newest().Hash())
	require.NoError(t, err)
	node := &late{Backend: refuser{k.client, nodesError("nonce too low: next nonce 1, tx nonce 0")}, hides: true}
	require.NoError(t, tx.Manager{Node: node, Journal: again}.Resend(t.Context(), found))
	require.Equal(t, tx.Open, found.State)
	receipt, err := tx.Manager{Node: node, Journal: again}.Await(t.Context(), found, tx.AwaitOptions{})
	require.NoError(t, err)
	require.Equal(t, mined.Newest().Hash(), receipt.TxHash)
	_, sent := k.account()
	require.Equal(t, nonce+1, sent)
}

// TestARefusedReplacementRemovesNothing: an intent keeps all of its transactions.
func TestARefusedReplacementRemovesNothing(t *testing.T) {
	k := newKeeping(t)
	require.NoError(t, k.net.SetAutomine(t.Context(), false))
	journal := k.journal()
	intent, err := k.submit(k.client, journal, 1, "fund 1")
	require.NoError(t, err)
	for name, known := range map[string]bool{"it has the first": true, "it has none": false} {
		bump, err := tx.Manager{Node: k.client}.PrepareReplacement(t.Context(), intent, tx.KindBump, tx.Caps{})
		require.NoError(t, err)
		attempts := len(intent.Attempts)
		node := &late{Backend: refuser{k.client, nodesError("insufficient funds for gas * price + value")}, hides: !known}
		err = tx.Manager{Node: refuserWith{node, node.Backend}, Journal: journal, Signer: k.signer}.Replace(t.Context(), bump, intent, tx.KindBump)
		state := tx.Open
		if !known {
			state = tx.Refused
			require.ErrorAs(t, err, new(*tx.RefusedError), name)
		} else {
			require.NoError(t, err, name)
		}
		found, err := journal.Find(t.Context(), intent.Newest().Hash())
		require.NoError(t, err)
		require.Equal(t, state, found.State, name)
		require.Len(t, found.Attempts, attempts+1, name)
	}
	require.NoError(t, k.net.Mine(t.Context(), 1))
	receipt, err := tx.Manager{Node: k.client, Journal: journal}.Await(t.Context(), intent, tx.AwaitOptions{})
	require.NoError(t, err)
	require.Equal(t, intent.Attempts[0].Tx.Hash(), receipt.TxHash)
	require.Equal(t, tx.Mined, intent.State)
}

// refuserWith sends through one node and reads from another.
type refuserWith struct {
	tx.Backend
	sender tx.Backend
}

func (r refuserWith) SendTransaction(ctx context.Context, sent *types.Transaction) error {
	return r.sender.SendTransaction(ctx, sent)
}

// TestASignedNonceBelowTheAccounts: a transaction that was signed elsewhere and can never be
// mined is refused, and not stored.
func TestASignedNonceBelowTheAccounts(t *testing.T) {
	k := newKeeping(t)
	p := k.prepare(k.client, k.deposit(wei.FromUint64(2)))
	signed, err := k.signer.SignTx(t.Context(), types.NewTx(&types.DynamicFeeTx{
		ChainID: k.net.ChainID(), Nonce: 0, To: &p.To, Value: p.Value.Big(), Data: p.Data, Gas: p.GasLimit, GasFeeCap: p.FeeCap, GasTipCap: p.TipCap,
	}), k.net.ChainID())
	require.NoError(t, err)
	k.wait(k.send(k.client, p).Hash())

	journal := k.journal()
	intent := &tx.Intent{Account: k.signer.Address(), Nonce: 0, Label: "fund 2"}
	kept, err := tx.Manager{Node: k.client, Journal: journal}.SubmitSigned(t.Context(), intent, signed, tx.Terms{})
	require.ErrorContains(t, err, "has nonce 0, which another transaction of the account uses; the next free one is 1")
	require.Nil(t, kept)
	_, err = journal.Find(t.Context(), signed.Hash())
	require.ErrorIs(t, err, tx.ErrUnknown)
}

// TestTheTipIsPartOfTheLeastPrice: a cap between the base fee and the base fee plus the tip is
// too low.
func TestTheTipIsPartOfTheLeastPrice(t *testing.T) {
	w := newWorld(t)
	quote, err := w.client.Quote(t.Context(), ethereum.CallMsg{From: w.signer.Address()})
	require.NoError(t, err)
	require.Positive(t, quote.Tip.Sign())
	least := new(big.Int).Add((*big.Int)(quote.Head.BaseFee), quote.Tip)
	for price, enough := range map[string]bool{least.String(): true, new(big.Int).Sub(least, big.NewInt(1)).String(): false} {
		limit := parse(t, price+"wei")
		_, err := tx.Prepare(t.Context(), w.client, w.signer.Address(), w.deposit(wei.FromUint64(1)), tx.Caps{Price: &limit})
		if enough {
			require.NoError(t, err)
			continue
		}
		var high *tx.PriceError
		require.ErrorAs(t, err, &high)
		require.Equal(t, amount(t, least), high.Needed)
	}
}

// TestAnotherTransactionUsedTheNonce: only once the chain shows which one is the intent lost,
// and signed again with another nonce.
func TestAnotherTransactionUsedTheNonce(t *testing.T) {
	k := newKeeping(t)
	journal := k.journal()
	node := refuser{k.client, nodesError("the moon is in the wrong phase")}
	intent, err := k.submit(node, journal, 1, "fund 1")
	var refused *tx.RefusedError
	require.ErrorAs(t, err, &refused)

	foreign := k.send(k.client, k.prepare(k.client, k.deposit(wei.FromUint64(5))))
	_, err = tx.Manager{Node: k.client, Journal: journal}.Await(t.Context(), intent, tx.AwaitOptions{})
	var lost *tx.LostError
	require.ErrorAs(t, err, &lost)
	require.Equal(t, foreign.Hash(), lost.By)
	require.Equal(t, tx.Lost, intent.State)

	require.NoError(t, tx.Manager{Node: k.client, Journal: journal, Signer: k.signer}.Submit(t.Context(), k.prepare(k.client, k.deposit(wei.FromUint64(1))), intent, tx.Terms{}))
	receipt, err := tx.Manager{Node: k.client, Journal: journal}.Await(t.Context(), intent, tx.AwaitOptions{})
	require.NoError(t, err)
	require.Equal(t, intent.Newest().Hash(), receipt.TxHash)
	require.EqualValues(t, 1, intent.Nonce)
	require.False(t, errors.Is(journal.End(t.Context(), intent, true), tx.ErrNotOwner))
}

// TestANonceThatTheJournalUsed: which of its own transactions used a nonce the journal knows, also long
// after the node has dropped the state of the block.
func TestANonceThatTheJournalUsed(t *testing.T) {
	k := newKeeping(t)
	journal := k.journal()
	refused, err := k.submit(refuser{k.client, nodesError("the moon is in the wrong phase")}, journal, 1, "fund 1")
	require.ErrorAs(t, err, new(*tx.RefusedError))
	manager := tx.Manager{Node: k.client, Journal: journal}
	winner, err := k.submit(k.client, journal, 2, "fund 2")
	require.NoError(t, err)
	require.Equal(t, refused.Nonce, winner.Nonce)
	_, err = manager.Await(t.Context(), winner, tx.AwaitOptions{})
	require.NoError(t, err)
	require.NoError(t, k.net.Mine(t.Context(), 200))
	_, err = manager.PrepareReplacement(t.Context(), refused, tx.KindCancel, tx.Caps{})
	require.ErrorIs(t, err, tx.ErrSettled, "nothing with this nonce can be mined")

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = manager.Await(ctx, refused, tx.AwaitOptions{})
	var lost *tx.LostError
	require.ErrorAs(t, err, &lost)
	require.Equal(t, winner.Newest().Hash(), lost.By)
}

// TestARefusedOneDoesNotReplaceADroppedOne: what was mined and reported keeps its nonce if its block
// is replaced.
func TestARefusedOneDoesNotReplaceADroppedOne(t *testing.T) {
	k := newKeeping(t)
	journal := k.journal()
	refused, err := k.submit(refuser{k.client, nodesError("the moon is in the wrong phase")}, journal, 1, "fund 1")
	require.ErrorAs(t, err, new(*tx.RefusedError))
	manager := tx.Manager{Node: k.client, Journal: journal, Signer: k.signer}
	winner, err := k.submit(k.client, journal, 2, "fund 2")
	require.NoError(t, err)
	_, err = manager.Await(t.Context(), winner, tx.AwaitOptions{})
	require.NoError(t, err)
	require.NoError(t, k.net.SetAutomine(t.Context(), false))
	require.NoError(t, k.net.Reorg(t.Context(), 1))

	bump, err := manager.PrepareReplacement(t.Context(), refused, tx.KindBump, tx.Caps{})
	require.NoError(t, err)
	require.ErrorIs(t, manager.Replace(t.Context(), bump, refused, tx.KindBump), tx.ErrHeld)
	require.Equal(t, tx.Refused, refused.State)
}
