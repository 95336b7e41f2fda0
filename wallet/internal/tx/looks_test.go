package tx

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
)

// refusedWith is a node's answer to a transaction.
type refusedWith string

func (r refusedWith) Error() string  { return string(r) }
func (r refusedWith) ErrorCode() int { return -32000 }

// failing is a node that does not answer, or refuses.
type failing struct {
	chainAt
	receipt, send error
}

func (f *failing) TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	if f.receipt != nil {
		return nil, f.receipt
	}
	return f.chainAt.TransactionReceipt(ctx, hash)
}

func (f *failing) SendTransaction(context.Context, *types.Transaction) error { return f.send }

// recording is a journal that stores outcomes, unless it fails.
type recording struct {
	kept
	find, record error
	outcomes     []Outcome
}

func (r *recording) Find(ctx context.Context, hash common.Hash) (*Intent, error) {
	if r.find != nil {
		return nil, r.find
	}
	return r.kept.Find(ctx, hash)
}

func (r *recording) Record(_ context.Context, _ *Intent, o Outcome) error {
	if r.record == nil {
		r.outcomes = append(r.outcomes, o)
	}
	return r.record
}

var errDown = errors.New("down for maintenance")

// TestAWaitSaysWhyItEnded: the node's last answer, or its refusal.
func TestAWaitSaysWhyItEnded(t *testing.T) {
	wait := func(node Backend, journal Journal) (err error) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err = Manager{Node: node, Journal: journal}.Await(ctx, intentWith(7), AwaitOptions{})
		})
		return err
	}
	waiting := new(NotMinedError)
	require.ErrorAs(t, wait(&failing{receipt: errDown}, &recording{}), &waiting)
	require.ErrorContains(t, waiting, "the node's last answer: down for maintenance")

	refusing := &failing{send: refusedWith("tip too low")}
	journal := &recording{}
	refused := new(RefusedError)
	require.ErrorAs(t, wait(refusing, journal), &refused)
	require.Equal(t, []Outcome{{State: Refused, Refusal: "tip too low"}}, journal.outcomes)
	require.ErrorAs(t, wait(refusing, &recording{record: errDown}), &waiting, "what the journal failed to record is not reported")
}

// TestWhatIsGoneIsNotWaitedFor: an intent that is missing from the journal ends the wait; one
// that another run has changed does not.
func TestWhatIsGoneIsNotWaitedFor(t *testing.T) {
	require.True(t, isGone(&ChangedError{}))
	require.False(t, isGone(&ChangedError{Found: Mined}))
	require.False(t, isGone(errDown))
	require.False(t, isGone(nil))
}

// TestAJournalThatFailsSaysNothingOfOthers: without the journal's answer it is not known whose
// transaction used a nonce.
func TestAJournalThatFailsSaysNothingOfOthers(t *testing.T) {
	node := &chainAt{used: 8}
	w := waiting{Manager: Manager{Node: node, Journal: &recording{find: errDown}}, intent: intentWith(7)}
	node.uses = append(node.uses, usedBy(intentOf(7, 1).Newest(), 5))
	for range lostAfter * looksBetween {
		_, err := w.look(t.Context())
		require.False(t, errors.As(err, new(*LostError)))
	}
	_, err := w.look(t.Context())
	require.NoError(t, err)
	require.ErrorIs(t, w.identify(t.Context()), errDown)
	require.Zero(t, w.foreign)
}

// TestCatchUpEndsWithItsJournal: an outcome that another run has recorded is not a failure.
func TestCatchUpEndsWithItsJournal(t *testing.T) {
	intent := intentWith(7)
	hash := intent.Newest().Hash()
	node := &chainAt{receipts: map[common.Hash]*types.Receipt{hash: {TxHash: hash, Status: types.ReceiptStatusSuccessful}}}
	catchUp := func(record error) (*recording, error) {
		journal := &recording{kept: kept{intents: []*Intent{intent}}, record: record}
		return journal, Manager{Node: node, Journal: journal}.CatchUp(t.Context(), intent.Account)
	}
	journal, err := catchUp(nil)
	require.NoError(t, err)
	require.Equal(t, []Outcome{{State: Mined, By: hash}}, journal.outcomes)
	_, err = catchUp(&ChangedError{Found: Mined})
	require.NoError(t, err)
	_, err = catchUp(errDown)
	require.ErrorIs(t, err, errDown)
}

// offering is a node that quotes prices, and replays calls.
type offering struct {
	chainAt
	call error
}

func (offering) UpToDate(chain.Head) error { return nil }
func (offering) Quote(context.Context, ethereum.CallMsg) (*chain.Quote, error) {
	return &chain.Quote{Balance: big.NewInt(1e18), Price: big.NewInt(3), Gas: 21_000}, nil
}

func (o offering) CallContract(context.Context, ethereum.CallMsg, *big.Int) ([]byte, error) {
	return nil, o.call
}

// adding is a journal that shows what it was to store.
type adding struct {
	kept
	added Attempt
}

func (a *adding) Add(_ context.Context, _ *Intent, attempt Attempt) error {
	a.added = attempt
	return nil
}

// TestABumpedCancellationStaysOne: a higher price must not send the call after all.
func TestABumpedCancellationStaysOne(t *testing.T) {
	intent := intentOf(7, 5)
	bump, err := Manager{Node: &offering{}}.PrepareReplacement(t.Context(), intent, KindBump, Caps{})
	require.NoError(t, err)
	require.Equal(t, common.Address{1}, bump.To)
	require.EqualValues(t, 5, bump.Value.Big().Int64())

	nothing := types.NewTx(&types.LegacyTx{Nonce: 7, To: &intent.Account, GasPrice: big.NewInt(2), Value: new(big.Int)})
	intent.Attempts = append(intent.Attempts, Attempt{Tx: nothing, Kind: KindCancel})
	bump, err = Manager{Node: &offering{}}.PrepareReplacement(t.Context(), intent, KindBump, Caps{})
	require.NoError(t, err)
	require.Equal(t, intent.Account, bump.To)
	require.True(t, bump.Value.IsZero())
	journal := new(adding)
	require.NoError(t, Manager{&counting{}, journal, fixed(intent.Account)}.Replace(t.Context(), bump, intent, KindBump))
	require.Equal(t, KindCancel, journal.added.Kind, "its transaction is empty")
}

// TestWhatIsSettledIsNotReplaced, whatever the node shows of it.
func TestWhatIsSettledIsNotReplaced(t *testing.T) {
	for state, why := range map[State]string{
		Lost:      "another transaction of the account used its nonce 7",
		Mined:     "its block was replaced",
		Cancelled: "its block was replaced",
	} {
		intent := intentOf(7, 5)
		intent.State = state
		for _, kind := range []Kind{KindBump, KindCancel} {
			_, err := Manager{Node: &offering{}}.PrepareReplacement(t.Context(), intent, kind, Caps{})
			require.ErrorIs(t, err, ErrSettled, state)
			require.ErrorContains(t, err, why)
		}
	}
}

// TestWhyATransactionFailed: the contract's reason comes first, then the gas, then a revert
// without a reason.
func TestWhyATransactionFailed(t *testing.T) {
	const gas = 6400
	sent := types.NewTx(&types.LegacyTx{To: &common.Address{1}, Gas: gas})
	reason, silent := &contract.RevertError{Reason: "paused"}, &contract.RevertError{}
	const used = gas - gas/callKeeps
	spent := hint.With(fmt.Errorf("out of gas: it used %d of its gas limit of %d", used, gas), "only its gas was spent: run the command again, which estimates the gas again")
	for _, c := range []struct {
		call error
		used uint64
		at   int64
		want error
	}{
		{reason, gas, 9, reason},
		{silent, used, 9, spent},
		{nil, used, 9, spent},
		{silent, used - 1, 9, silent},
		{nil, used - 1, 9, nil},
		{reason, gas, 0, nil},
	} {
		receipt := &types.Receipt{BlockNumber: big.NewInt(c.at), GasUsed: c.used}
		require.Equal(t, c.want, Manager{Node: &offering{call: c.call}}.replay(t.Context(), common.Address{}, sent, receipt))
	}
	require.NoError(t, Manager{Node: &offering{call: reason}}.replay(t.Context(), common.Address{}, sent, &types.Receipt{}))
}

// TestNoAnswerHidesNoReason: a look without an answer, such as one that the end of the wait cuts
// off, does not replace what an earlier one found. Another finding does.
func TestNoAnswerHidesNoReason(t *testing.T) {
	node := &chainAt{used: 8}
	w := waiting{Manager: Manager{Node: node, Journal: kept{}}, intent: intentWith(7)}
	hidden := func(uses ...chain.NonceUse) error {
		node.uses = uses
		require.NoError(t, w.identify(t.Context()))
		return w.hidden
	}
	unanswered := chain.NonceUse{URL: "a", Err: context.DeadlineExceeded}
	require.ErrorIs(t, hidden(unanswered), context.DeadlineExceeded, "nothing better is known")
	require.ErrorAs(t, hidden(chain.NonceUse{URL: "a", Used: true, Err: errDown}), new(*HiddenError))
	require.ErrorAs(t, hidden(unanswered), new(*HiddenError))
	require.ErrorContains(t, hidden(chain.NonceUse{URL: "a"}), "is not used yet")
}

// TestDone: a call was done by a block when it has succeeded in one up to it. What another run has
// recorded meanwhile is no failure.
func TestDone(t *testing.T) {
	intent := intentWith(7)
	hash := intent.Newest().Hash()
	receipt := &types.Receipt{TxHash: hash, Status: types.ReceiptStatusSuccessful, BlockNumber: big.NewInt(5)}
	node := &chainAt{receipts: map[common.Hash]*types.Receipt{hash: receipt}}
	done := func(block uint64, record error) (bool, []Outcome, error) {
		journal := &recording{record: record}
		found, err := Manager{Node: node, Journal: journal}.Done(t.Context(), intent, block)
		return found, journal.outcomes, err
	}
	for _, c := range []struct {
		block  uint64
		record error
		done   bool
		err    error
	}{{4, nil, false, nil}, {5, nil, true, nil}, {5, &ChangedError{Found: Mined}, true, nil}, {5, errDown, false, errDown}} {
		found, outcomes, err := done(c.block, c.record)
		require.ErrorIs(t, err, c.err)
		require.Equal(t, c.done, found, "%+v", c)
		if c.done && c.record == nil {
			require.Equal(t, []Outcome{{State: Mined, By: hash}}, outcomes)
		}
	}
	receipt.Status = types.ReceiptStatusFailed
	found, outcomes, err := done(5, nil)
	require.NoError(t, err)
	require.False(t, found)
	require.Empty(t, outcomes)
}
