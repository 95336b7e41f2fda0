package store

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// accountant is a journal of one run, and what it signs.
type accountant struct {
	t *testing.T
	*Journal
}

var payer = common.Address{0xee}

func newAccountant(t *testing.T, s *Store) accountant {
	j := s.Journal("1337/devnet")
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	return accountant{t, j}
}

// unsigned is a transaction that differs from others by nonce and value.
func unsigned(nonce, value uint64) *types.Transaction {
	return types.NewTx(&types.DynamicFeeTx{
		ChainID: big.NewInt(1337), Nonce: nonce, To: &common.Address{1}, Value: new(big.Int).SetUint64(value),
		GasFeeCap: big.NewInt(2), GasTipCap: big.NewInt(1), Gas: 21000,
	})
}

// slot signs a value with the lowest free nonce from used on, whatever else is pending.
func slot(used, value uint64) tx.Slot {
	return tx.Slot{
		Used: used, Pending: used, Agree: tx.Terms{WithPending: true}.Agree,
		Sign: func(nonce uint64) (*types.Transaction, error) { return unsigned(nonce, value), nil },
	}
}

func (a accountant) begin(requestID string, label tx.Label, used, value uint64) (*tx.Intent, error) {
	intent := &tx.Intent{Account: payer, RequestID: requestID, Label: label}
	return intent, a.Begin(context.Background(), intent, slot(used, value))
}

func (a accountant) begun(requestID string, label tx.Label, used, value uint64) *tx.Intent {
	a.t.Helper()
	intent, err := a.begin(requestID, label, used, value)
	require.NoError(a.t, err)
	return intent
}

func (a accountant) resumed(requestID string, label tx.Label) *tx.Intent {
	a.t.Helper()
	intent, err := a.Resume(a.t.Context(), payer, requestID, label)
	require.NoError(a.t, err)
	return intent
}

func (a accountant) record(intent *tx.Intent, state tx.State, by common.Hash) {
	a.t.Helper()
	require.NoError(a.t, a.Record(a.t.Context(), intent, tx.Outcome{State: state, By: by}))
}

// refuses expects an open intent to keep the same command from beginning another.
func (a accountant) refuses(label tx.Label, because *tx.Intent) {
	a.t.Helper()
	_, err := a.Resume(a.t.Context(), payer, "", label)
	var busy *tx.InProgressError
	require.ErrorAs(a.t, err, &busy)
	require.Equal(a.t, because.ID, busy.Intent.ID)
	_, err = a.begin("", label, 0, 99)
	require.ErrorAs(a.t, err, &busy)
}

// die ends a run as a crash does: the lock is released, and nothing is written.
func (a accountant) die() {
	require.NoError(a.t, a.run.(interface{ Lose() error }).Lose())
}

func TestNoncesFillGaps(t *testing.T) { onEach(t, noncesFillGaps) }

func noncesFillGaps(t *testing.T, place place) {
	a := newAccountant(t, open(t, place(t)))
	var intents []*tx.Intent
	for i := range uint64(4) {
		intents = append(intents, a.begun("", tx.Label(fmt.Sprint("fund ", i)), 5, i))
		require.Equal(t, 5+i, intents[i].Nonce)
	}
	a.record(intents[1], tx.Refused, common.Hash{})
	require.EqualValues(t, 6, a.begun("", "fund 4", 5, 10).Nonce, "what a node refused holds no nonce")
	require.EqualValues(t, 9, a.begun("", "fund 5", 5, 11).Nonce)
	require.EqualValues(t, 20, a.begun("", "fund 6", 20, 12).Nonce, "the chain is ahead")
	a.record(intents[3], tx.Mined, intents[3].Newest().Hash())
	require.EqualValues(t, 10, a.begun("", "fund 7", 0, 13).Nonce, "a node behind the mined nonces is ignored")

	unsettled, err := a.Unsettled(t.Context(), payer)
	require.NoError(t, err)
	var nonces []uint64
	for _, i := range unsettled {
		nonces = append(nonces, i.Nonce)
	}
	require.Equal(t, []uint64{5, 6, 6, 7, 9, 10, 20}, nonces, "in the order in which they must be mined")
}

func TestResume(t *testing.T) { onEach(t, journalResume) }

func journalResume(t *testing.T, place place) {
	path := place(t)
	run := func() accountant { return newAccountant(t, open(t, path)) }
	first, second := run(), run()
	require.Nil(t, first.resumed("", "fund 1"))
	begun := first.begun("", "fund 1", 0, 1)

	second.refuses("fund 1", begun)
	require.Nil(t, second.resumed("", "fund 2"), "a different command is a new intent")
	require.NotNil(t, second.begun("an id of its own", "fund 1", 0, 7))
	first.record(begun, tx.Mined, begun.Newest().Hash())
	require.Nil(t, first.resumed("", "fund 3"))
	require.NoError(t, first.End(t.Context(), begun, true))

	third := run()
	_, err := third.Resume(t.Context(), payer, "", "fund 1")
	require.ErrorAs(t, err, new(*tx.InProgressError), "the one with an id is open")
	require.NoError(t, second.Close())
	require.NotNil(t, third.resumed("an id of its own", "fund 1"))
	owned := third.resumed("an id of its own", "fund 1")
	third.record(owned, tx.Mined, owned.Newest().Hash())
	require.Nil(t, third.resumed("", "fund 1"), "all of them are settled and reported")
	require.NoError(t, first.Close())
	require.Nil(t, third.resumed("", "fund 1"), "a reported one is done")

	// Open, though its run reported the result, as with --no-wait.
	first = run()
	begun = first.begun("", "fund 1", 0, 2)
	require.NoError(t, first.End(t.Context(), begun, true))
	require.NoError(t, first.Close())
	again := third.resumed("", "fund 1")
	require.Equal(t, begun.ID, again.ID)
	require.Equal(t, begun.Newest().Hash(), again.Newest().Hash())
	fourth := run()
	fourth.refuses("fund 1", begun)
	third.die()
	require.Equal(t, begun.ID, fourth.resumed("", "fund 1").ID, "that run died")

	// Killed after the transaction was settled and before the result was reported.
	begun = fourth.resumed("", "fund 1")
	fourth.record(begun, tx.Mined, begun.Newest().Hash())
	require.NoError(t, fourth.End(t.Context(), begun, true))
	fourth.die()
	if fourth.store.db.IsFile() {
		require.Equal(t, begun.ID, run().resumed("", "fund 1").ID)
	}
}

func TestSettledIsNotReported(t *testing.T) { onEach(t, settledIsNotReported) }

// A result that another run has recorded is reported by the run that waits, or by the next run
// of the same command.
func settledIsNotReported(t *testing.T, place place) {
	path := place(t)
	run := func() accountant { return newAccountant(t, open(t, path)) }
	first, waiter, other := run(), run(), run()
	begun := first.begun("", "fund 1", 0, 1)
	require.NoError(t, first.End(t.Context(), begun, false))
	require.NoError(t, first.Close())
	require.NoError(t, waiter.Adopt(t.Context(), begun))
	seen := *begun
	other.record(&seen, tx.Mined, begun.Newest().Hash())
	other.refuses("fund 1", begun)
	require.NoError(t, waiter.Close())
	require.Equal(t, begun.ID, other.resumed("", "fund 1").ID)
	require.NoError(t, other.End(t.Context(), begun, true))
	require.NoError(t, other.Close())

	// It is reported. A run that looks at it again and dies changes nothing.
	waiter, other = run(), run()
	require.NoError(t, waiter.Adopt(t.Context(), &seen))
	require.ErrorIs(t, waiter.End(t.Context(), &seen, false), tx.ErrNotOwner)
	waiter.begun("", "fund 2", 5, 1)
	waiter.die()
	require.Nil(t, other.resumed("", "fund 1"))
}

func TestRequestsAreForEver(t *testing.T) { onEach(t, requestsAreForEver) }

func requestsAreForEver(t *testing.T, place place) {
	path := place(t)
	first, second := newAccountant(t, open(t, path)), newAccountant(t, open(t, path))
	begun := first.begun("a", "fund 1", 0, 1)
	_, err := second.begin("a", "fund 1", 0, 2)
	require.ErrorIs(t, err, tx.ErrTaken)
	require.Equal(t, begun.ID, second.resumed("a", "fund 1").ID, "though the first run is alive")
	first.record(begun, tx.Mined, begun.Newest().Hash())
	require.ErrorIs(t, first.End(t.Context(), begun, true), tx.ErrNotOwner)
	settled := second.resumed("a", "fund 1")
	require.Equal(t, tx.Mined, settled.State)
	require.Equal(t, begun.Newest().Hash(), settled.SettledBy)

	_, err = second.Resume(t.Context(), payer, "a", "fund 2")
	require.ErrorIs(t, err, tx.ErrRequest)
	require.ErrorContains(t, err, "different arguments: "+tx.Label("fund 1").String())
	require.Nil(t, second.resumed("b", "fund 1"))
	require.NotEqual(t, begun.Nonce, second.begun("b", "fund 1", 0, 3).Nonce)

	elsewhere, err := first.store.Journal("1/mainnet").Resume(t.Context(), payer, "a", "fund 1")
	require.NoError(t, err)
	require.Nil(t, elsewhere, "each network has its own")
}

func TestAttempts(t *testing.T) { onEach(t, journalAttempts) }

func journalAttempts(t *testing.T, place place) {
	a := newAccountant(t, open(t, place(t)))
	begun := a.begun("", "fund", 0, 1)
	bump := tx.Attempt{Tx: unsigned(0, 2), Kind: tx.KindBump, At: begun.CreatedAt.Add(1e9)}
	require.NoError(t, a.Add(t.Context(), begun, bump))
	for _, attempt := range begun.Attempts {
		found, err := a.Find(t.Context(), attempt.Tx.Hash())
		require.NoError(t, err)
		require.Equal(t, begun.ID, found.ID)
		require.Len(t, found.Attempts, 2)
		require.Equal(t, bump.Tx.Hash(), found.Newest().Hash())
		require.Equal(t, tx.KindBump, found.Attempts[1].Kind)
	}
	_, err := a.Find(t.Context(), common.Hash{1})
	require.ErrorIs(t, err, tx.ErrUnknown)
	list, err := a.Intents(t.Context(), payer)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NoError(t, a.Add(t.Context(), begun, bump))
	require.NoError(t, a.Reload(t.Context(), begun))
	require.Len(t, begun.Attempts, 2, "the same transaction is stored once")

	// Attempts stay in order however fast they follow each other.
	for i := range uint64(4) {
		next := tx.Attempt{Tx: unsigned(0, 10-i), Kind: tx.KindBump, At: bump.At}
		require.NoError(t, a.Add(t.Context(), begun, next))
		require.NoError(t, a.Reload(t.Context(), begun))
		require.Equal(t, next.Tx.Hash(), begun.Newest().Hash())
	}
}

// A transaction that cannot be signed leaves no trace.
func TestUnsignedIsNotKept(t *testing.T) { onEach(t, unsignedIsNotKept) }

func unsignedIsNotKept(t *testing.T, place place) {
	a := newAccountant(t, open(t, place(t)))
	no := errors.New("no")
	intent := &tx.Intent{Account: payer, Label: "fund", RequestID: "a"}
	unsigned := slot(0, 1)
	unsigned.Sign = func(uint64) (*types.Transaction, error) { return nil, no }
	require.ErrorIs(t, a.Begin(t.Context(), intent, unsigned), no)
	require.Empty(t, intent.ID)
	require.Nil(t, a.resumed("a", "fund"))
	require.EqualValues(t, 0, a.begun("a", "fund", 0, 1).Nonce)
}

func TestDamagedJournal(t *testing.T) { onEach(t, damagedJournal) }

func damagedJournal(t *testing.T, place place) {
	s := open(t, place(t))
	a := newAccountant(t, s)
	a.begun("", "fund", 0, 1)
	for _, damage := range []string{`UPDATE attempts SET raw = 'zz'`, `UPDATE attempts SET raw = '02'`, `DELETE FROM attempts`} {
		change(t, s, damage)
		_, err := a.Intents(t.Context(), payer)
		require.ErrorIs(t, err, ErrDamaged, damage)
	}
}

func TestEachChangeNamesWhatItChanges(t *testing.T) { onEach(t, eachChangeNamesWhatItChanges) }

// A run that has not seen what another one did changes nothing.
func eachChangeNamesWhatItChanges(t *testing.T, place place) {
	path := place(t)
	first, second := newAccountant(t, open(t, path)), newAccountant(t, open(t, path))
	begun := first.begun("a", "fund 1", 0, 1)
	seen := *begun
	resumed := second.resumed("a", "fund 1")

	// It belongs to the second run now.
	require.ErrorIs(t, first.Record(t.Context(), begun, tx.Outcome{State: tx.Refused, Refusal: "no"}), tx.ErrNotOwner)
	require.ErrorIs(t, first.End(t.Context(), begun, true), tx.ErrNotOwner)
	require.NoError(t, first.Reload(t.Context(), begun))
	require.Equal(t, tx.Open, begun.State)

	second.record(resumed, tx.Mined, resumed.Newest().Hash())
	for name, change := range map[string]func(*tx.Intent) error{
		"lost": func(i *tx.Intent) error { return first.Record(t.Context(), i, tx.Outcome{State: tx.Lost}) },
		"mined": func(i *tx.Intent) error {
			return first.Record(t.Context(), i, tx.Outcome{State: tx.Mined, By: common.Hash{1}})
		},
		"add": func(i *tx.Intent) error {
			return first.Add(t.Context(), i, tx.Attempt{Tx: unsigned(0, 5), Kind: tx.KindBump})
		},
		"move":   func(i *tx.Intent) error { return first.Move(t.Context(), i, slot(1, 5)) },
		"adopt":  func(i *tx.Intent) error { return first.Adopt(t.Context(), i) },
		"reopen": func(i *tx.Intent) error { return first.Record(t.Context(), i, tx.Outcome{State: tx.Open}) },
	} {
		stale := seen
		err := change(&stale)
		var changed *tx.ChangedError
		require.ErrorAs(t, err, &changed, name)
		require.Equal(t, tx.Mined, changed.Found, name)
		if name != "mined" && name != "adopt" && name != "lost" {
			require.ErrorIs(t, change(resumed), tx.ErrChanged, "%s, though it has read the journal", name)
		}
	}
	require.NoError(t, first.Reload(t.Context(), begun))
	require.Equal(t, resumed.SettledBy, begun.SettledBy)

	// Its block was replaced, and another wallet's transaction used the nonce.
	first.record(begun, tx.Lost, common.Hash{})
	require.NoError(t, first.Move(t.Context(), begun, slot(1, 5)))
	require.Equal(t, tx.Open, second.resumed("a", "fund 1").State)

	change(t, first.store, `DELETE FROM attempts`)
	change(t, first.store, `DELETE FROM intents`)
	var changed *tx.ChangedError
	require.ErrorAs(t, first.Record(t.Context(), begun, tx.Outcome{State: tx.Mined, By: common.Hash{1}}), &changed)
	require.Empty(t, changed.Found)
	require.ErrorAs(t, first.End(t.Context(), begun, true), &changed)
	require.ErrorAs(t, first.Reload(t.Context(), begun), &changed)
}

func TestRefusedIntentsShareANonce(t *testing.T) { onEach(t, refusedIntentsShareANonce) }

func refusedIntentsShareANonce(t *testing.T, place place) {
	a := newAccountant(t, open(t, place(t)))
	refused := a.begun("a", "fund 1", 0, 1)
	require.NoError(t, a.Record(t.Context(), refused, tx.Outcome{State: tx.Refused, Refusal: "insufficient funds"}))
	require.Equal(t, "insufficient funds", a.resumed("a", "fund 1").Refusal, "its id and its nonce stay")

	other := a.begun("", "fund 2", 0, 2)
	require.Equal(t, refused.Nonce, other.Nonce)
	again := tx.Attempt{Tx: unsigned(0, 3), Kind: tx.KindCall}
	require.ErrorIs(t, a.Add(t.Context(), refused, again), tx.ErrHeld)

	// Once the other one is mined, it gets a new nonce.
	a.record(other, tx.Mined, other.Newest().Hash())
	a.record(refused, tx.Lost, common.Hash{})
	require.NoError(t, a.Move(t.Context(), refused, slot(0, 3)))
	require.EqualValues(t, 1, refused.Nonce, "though the node is behind")
	moved := a.resumed("a", "fund 1")
	require.Equal(t, tx.Open, moved.State)
	require.Empty(t, moved.Refusal)
	require.Len(t, moved.Attempts, 2)
	require.EqualValues(t, 1, moved.Newest().Nonce())
}

func TestNoTransactionIsTwoIntents(t *testing.T) { onEach(t, noTransactionIsTwoIntents) }

// noTransactionIsTwoIntents: the same call at the same nonce and price is the same transaction,
// and must not settle two intents.
func noTransactionIsTwoIntents(t *testing.T, place place) {
	a := newAccountant(t, open(t, place(t)))
	one := a.begun("a", "fund 1", 0, 1)
	require.NoError(t, a.Record(t.Context(), one, tx.Outcome{State: tx.Refused}))
	two := &tx.Intent{Account: payer, RequestID: "b", Label: "fund 1"}
	require.ErrorIs(t, a.Begin(t.Context(), two, slot(0, 1)), tx.ErrAlike)
	require.Empty(t, two.ID)
	require.NoError(t, a.Begin(t.Context(), two, slot(0, 2)))
	require.NoError(t, a.Record(t.Context(), two, tx.Outcome{State: tx.Refused}))
	require.ErrorIs(t, a.Add(t.Context(), two, tx.Attempt{Tx: one.Newest(), Kind: tx.KindCall}), tx.ErrAlike)
	require.Len(t, a.resumed("b", "fund 1").Attempts, 1)
	require.NoError(t, a.Add(t.Context(), one, tx.Attempt{Tx: one.Newest(), Kind: tx.KindCall}), "its own transaction is not another intent's")
}

func TestBeginAgreesFirst(t *testing.T) { onEach(t, beginAgreesFirst) }

func beginAgreesFirst(t *testing.T, place place) {
	a := newAccountant(t, open(t, place(t)))
	open := a.begun("", "fund 1", 0, 1)
	shown, err := a.Queue(t.Context(), payer)
	require.NoError(t, err)
	require.Len(t, shown.Open, 1)

	try := func(terms tx.Terms, pending uint64) error {
		s := slot(0, 2)
		s.Pending, s.Agree = pending, terms.Agree
		s.Sign = func(uint64) (*types.Transaction, error) { panic("signed") }
		if terms.WithPending && terms.ReplaceUnknown {
			s.Sign = slot(0, 2).Sign
		}
		return a.Begin(t.Context(), &tx.Intent{Account: payer, Label: "fund 2"}, s)
	}
	var pending *tx.PendingError
	require.ErrorAs(t, try(tx.Terms{}, 1), &pending)
	require.Equal(t, open.ID, pending.Queue.Open[0].ID)
	require.ErrorAs(t, try(tx.Terms{WithPending: true, Seen: []*tx.Intent{}}, 1), &pending, "it came after the prompt")
	unknown := try(tx.Terms{WithPending: true}, 4)
	require.ErrorIs(t, unknown, tx.ErrUnknownPending)
	require.ErrorContains(t, unknown, "3 pending transactions of the account from nonce 1 on")
	require.NoError(t, try(tx.Terms{WithPending: true, ReplaceUnknown: true, Seen: shown.Open}, 4))
}

// TestAJournalOfSentences reads a journal of schema version 5, whose labels are sentences, and
// continues its intents.
func TestAJournalOfSentences(t *testing.T) { onEach(t, aJournalOfSentences) }

func aJournalOfSentences(t *testing.T, place place) {
	s := open(t, storeOf(t, place(t), "version5"))
	j := s.Journal("1337/0xCB4E1ec2e46C15DeB74ED25DaE83EBC8a197521C")
	defer j.Close()
	account, other := common.HexToAddress("0xDA492a4B84eefAD10C1680A5C4ACD203835d52A3"), common.HexToAddress("0x3B7e8Fe678A78d8E024E30662EF48ed0a01cC1Bb")
	amount := func(text string) wei.Wei {
		w, err := wei.Parse(text)
		require.NoError(t, err)
		return w
	}
	for _, c := range []struct {
		requestID string
		label     tx.Label
		nonce     uint64
		attempts  int
	}{
		{"", tx.FundLabel(amount("0.1eth"), amount("0wei"), common.Address{}), 3, 1},
		{"", tx.LabelUnlock, 4, 1},
		{"", tx.WithdrawKeepingLabel(amount("0.1eth"), amount("3wei")), 5, 1},
		{"topup-1", tx.FundLabel(amount("1eth"), amount("7wei"), other), 6, 2},
	} {
		intent, err := j.Resume(t.Context(), account, c.requestID, c.label)
		require.NoError(t, err, c.label)
		require.NotNil(t, intent, c.label)
		require.Equal(t, c.label, intent.Label)
		require.Equal(t, c.nonce, intent.Nonce)
		require.Len(t, intent.Attempts, c.attempts)
		require.Equal(t, c.nonce, intent.Newest().Nonce())
	}
	for _, settled := range []tx.Label{tx.FundLabel(amount("1.5eth"), amount("50000gwei"), common.Address{}), tx.LabelCancelUnlock} {
		intent, err := j.Resume(t.Context(), account, "", settled)
		require.NoError(t, err)
		require.Nil(t, intent, "it was settled and reported")
	}
	_, err := j.Resume(t.Context(), account, "topup-1", tx.FundLabel(amount("1eth"), amount("8wei"), other))
	require.ErrorIs(t, err, tx.ErrRequest)
	intents, err := j.Intents(t.Context(), account)
	require.NoError(t, err)
	require.Len(t, intents, 7)
	require.Equal(t, tx.KindBump, intents[0].Attempts[1].Kind, "the order of attempts is kept")
}
