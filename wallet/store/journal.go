package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/tx"
)

// Journal is the store as it keeps the transactions of one network's accounts, for one
// run of the program.
type Journal struct {
	store   *Store
	network string
	run     run
}

var _ tx.Journal = (*Journal)(nil)

// Journal returns the journal of a network. Its name must tell a chain from every other:
// an account's nonces begin anew on each.
func (s *Store) Journal(network string) *Journal {
	return &Journal{store: s, network: network, run: s.backend.newRun(s.db)}
}

// Close marks the run as ended. Call it last: the user must have seen the result. A
// process that is killed before counts as dead.
func (j *Journal) Close() error { return j.run.end() }

// Resume returns the intent that a command continues, which is this run's own from then on;
// nil when the command is to begin another one. A request id names an intent for ever.
// Without one, a command continues what the same command began and has not settled, or
// settled in a run that died before it could report that.
//
// It fails with *tx.RequestError for an id that named something else, and with
// *tx.InProgressError where a run that may still be alive has an open intent with the same
// label, or a request id has it.
func (j *Journal) Resume(ctx context.Context, account common.Address, requestID string, label tx.Label) (*tx.Intent, error) {
	token, err := j.run.begin(ctx)
	if err != nil {
		return nil, err
	}
	var intent *tx.Intent
	var before string
	err = j.store.write(ctx, func(t *sql.Tx) (err error) {
		if requestID != "" {
			intent, err = j.requested(ctx, t, account, requestID, label)
		} else {
			intent, before, err = j.unfinished(ctx, t, token, account, label)
		}
		if err != nil {
			return err
		}
		if intent == nil {
			return mayBeNew(ctx, t)
		}
		_, err = t.ExecContext(ctx, updateIntentRun, token, intent.ID)
		return err
	})
	if errors.As(err, new(*tx.InProgressError)) || errors.As(err, new(*tx.RequestError)) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("look into the journal: %w", err)
	}
	if before != "" && before != token {
		j.run.forget(before)
	}
	return intent, nil
}

func (j *Journal) requested(ctx context.Context, t *sql.Tx, account common.Address, requestID string, label tx.Label) (*tx.Intent, error) {
	intent, err := j.one(ctx, t, selectRequest, j.network, account.Hex(), requestID)
	if err == nil && intent != nil && intent.Label != label {
		err = &tx.RequestError{ID: requestID, Label: intent.Label}
	}
	return intent, err
}

// unfinished returns the newest intent with a label that is not settled, or of which the
// last run did not report how it went, with that run's token. It fails with
// *tx.InProgressError where another run is alive that has it, or the intent has a request
// id.
func (j *Journal) unfinished(ctx context.Context, t *sql.Tx, own string, account common.Address, label tx.Label) (*tx.Intent, string, error) {
	owned, err := j.owned(ctx, t, account, label)
	if err != nil {
		return nil, "", err
	}
	// What the command itself has begun comes before what a request id has.
	slices.SortStableFunc(owned, func(a, b ownedIntent) int {
		switch {
		case a.requestID == b.requestID:
			return 0
		case a.requestID:
			return 1
		}
		return -1
	})
	for _, o := range owned {
		became, err := j.run.look(ctx, t, o.run)
		if err != nil {
			return nil, "", err
		}
		// Another run may have recorded how it went before its own could report that.
		reported := o.requestID || !o.unknown && became != dead
		if reported && !o.state.Unsettled() {
			continue
		}
		intent, err := j.one(ctx, t, selectIntent, j.network, o.id)
		if err == nil && (became == alive && o.run != own || o.requestID) {
			err = &tx.InProgressError{Intent: intent}
		}
		return intent, o.run, err
	}
	return nil, "", nil
}

// ownedIntent is an intent with the run that it belongs to.
type ownedIntent struct {
	id, run            string
	unknown, requestID bool
	state              tx.State
}

// owned returns an account's intents with a label, the newest first. They are compared
// here, since the rows of earlier versions have sentences.
func (j *Journal) owned(ctx context.Context, t *sql.Tx, account common.Address, label tx.Label) ([]ownedIntent, error) {
	rows, err := t.QueryContext(ctx, selectRunsOfAccount, j.network, account.Hex())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []ownedIntent
	for rows.Next() {
		var o ownedIntent
		var text, state string
		var requestID sql.NullString
		var unknown int64
		if err := rows.Scan(&o.id, &text, &requestID, &o.run, &unknown, &state); err != nil {
			return nil, err
		}
		o.unknown, o.requestID, o.state = unknown != 0, requestID.Valid, tx.State(state)
		if tx.ReadLabel(text) == label {
			list = append(list, o)
		}
	}
	return list, rows.Err()
}

// Queue returns what the account has under way: for tx.Terms.Agree, before anything is
// signed. used and pending are as in tx.Slot.
func (j *Journal) Queue(ctx context.Context, account common.Address, used, pending uint64) (q tx.Queue, err error) {
	err = j.store.read(ctx, func(t *sql.Tx) (err error) {
		q, err = j.queue(ctx, t, &tx.Intent{Account: account}, used, pending)
		return err
	})
	if err != nil {
		return q, fmt.Errorf("read the journal: %w", err)
	}
	return q, nil
}

// queue is what the account of an intent has under way beside it.
func (j *Journal) queue(ctx context.Context, t *sql.Tx, beside *tx.Intent, used, pending uint64) (tx.Queue, error) {
	var settled int64
	if err := t.QueryRowContext(ctx, selectSettledNonce, j.network, beside.Account.Hex()).Scan(&settled); err != nil {
		return tx.Queue{}, err
	}
	all, err := j.all(ctx, t, selectUnsettled, j.network, beside.Account.Hex())
	if err != nil {
		return tx.Queue{}, err
	}
	others := all[:0]
	for _, i := range all {
		if i.ID != beside.ID {
			others = append(others, i)
		}
	}
	return tx.NewQueue(used, pending, uint64(settled), others), nil
}

// Begin implements tx.Journal.
func (j *Journal) Begin(ctx context.Context, intent *tx.Intent, slot tx.Slot) error {
	token, err := j.run.begin(ctx)
	if err != nil {
		return err
	}
	begun := *intent
	begun.ID, begun.State, begun.CreatedAt = rand.Text(), tx.Open, time.Now().UTC()
	err = j.store.write(ctx, func(t *sql.Tx) error {
		if err := j.checkNew(ctx, t, token, &begun); err != nil {
			return err
		}
		if err := mayBeNew(ctx, t); err != nil {
			return err
		}
		if err := j.place(ctx, t, &begun, slot); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, insertIntent, begun.ID, j.network, begun.Account.Hex(), int64(begun.Nonce),
			sql.NullString{String: begun.RequestID, Valid: begun.RequestID != ""}, string(begun.Label), token, string(begun.State),
			begun.CreatedAt.UnixMilli())
		if err != nil {
			return err
		}
		return addAttempt(ctx, t, begun.ID, begun.Attempts[0])
	})
	if err != nil {
		return keeping(&begun, err)
	}
	*intent = begun
	return nil
}

// checkNew fails where an intent of the same request or with the same label forbids the
// run another one.
func (j *Journal) checkNew(ctx context.Context, t *sql.Tx, own string, intent *tx.Intent) error {
	if intent.RequestID != "" {
		taken, err := j.one(ctx, t, selectRequest, j.network, intent.Account.Hex(), intent.RequestID)
		if err == nil && taken != nil {
			err = tx.ErrTaken
		}
		return err
	}
	other, _, err := j.unfinished(ctx, t, own, intent.Account, intent.Label)
	if err == nil && other != nil {
		err = &tx.InProgressError{Intent: other}
	}
	return err
}

// place gives an intent its nonce, and a transaction that is signed with it.
func (j *Journal) place(ctx context.Context, t *sql.Tx, intent *tx.Intent, slot tx.Slot) error {
	q, err := j.queue(ctx, t, intent, slot.Used, slot.Pending)
	if err != nil {
		return err
	}
	if err := slot.Agree(q); err != nil {
		return err
	}
	signed, err := slot.Sign(q.Nonce)
	if err != nil {
		return fmt.Errorf("sign the transaction: %w", err)
	}
	intent.Nonce = q.Nonce
	intent.Attempts = []tx.Attempt{{Tx: signed, Kind: tx.KindCall, At: time.Now().UTC()}}
	return nil
}

// keeping is the error for a transaction that was to be kept.
func keeping(intent *tx.Intent, err error) error {
	if errors.Is(err, ErrUncertain) && len(intent.Attempts) > 0 {
		return &tx.UncertainError{Hash: intent.Newest().Hash(), Nonce: intent.Nonce, Label: intent.Label, Err: err}
	}
	if errors.Is(err, tx.ErrTaken) || errors.As(err, new(*tx.PendingError)) || errors.As(err, new(*tx.UnknownPendingError)) || errors.As(err, new(*tx.InProgressError)) {
		return err // nothing was to be kept
	}
	return fmt.Errorf("keep the transaction in the journal: %w", err)
}

// Move implements tx.Journal.
func (j *Journal) Move(ctx context.Context, intent *tx.Intent, slot tx.Slot) error {
	if _, err := j.run.begin(ctx); err != nil {
		return err
	}
	moved := *intent
	err := j.store.write(ctx, func(t *sql.Tx) error {
		if _, _, err := j.expect(ctx, t, intent); err != nil {
			return err
		}
		if intent.State != tx.Lost && !intent.State.Unsettled() {
			return &tx.ChangedError{ID: intent.ID, Found: intent.State, Nonce: intent.Nonce}
		}
		slot.Used = max(slot.Used, intent.Nonce+1)
		moved.State = tx.Open // its own nonce is used up
		if err := j.place(ctx, t, &moved, slot); err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, updateIntentNonce, int64(moved.Nonce), moved.ID); err != nil {
			return err
		}
		return addAttempt(ctx, t, moved.ID, moved.Attempts[0])
	})
	if err != nil {
		return keeping(&moved, err)
	}
	moved.SettledBy, moved.Refusal = common.Hash{}, ""
	moved.Attempts = append(append([]tx.Attempt{}, intent.Attempts...), moved.Attempts...)
	*intent = moved
	return nil
}

// expect fails with *tx.ChangedError unless an intent is as the caller has read it. It
// returns the token of the run that the intent belongs to, and whether that run has
// reported how it went.
func (j *Journal) expect(ctx context.Context, t *sql.Tx, intent *tx.Intent) (owner string, reported bool, err error) {
	var unknown, nonce int64
	var state string
	err = t.QueryRowContext(ctx, selectRun, j.network, intent.ID).Scan(&owner, &unknown, &state, &nonce)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, &tx.ChangedError{ID: intent.ID}
	case err != nil:
		return "", false, err
	case tx.State(state) != intent.State || uint64(nonce) != intent.Nonce:
		return owner, false, &tx.ChangedError{ID: intent.ID, Found: tx.State(state), Nonce: uint64(nonce)}
	}
	return owner, unknown == 0, nil
}

// addAttempt fails with tx.ErrAlike for a transaction that another intent has.
func addAttempt(ctx context.Context, t *sql.Tx, id string, a tx.Attempt) error {
	raw, err := a.Tx.MarshalBinary()
	if err != nil {
		return err
	}
	result, err := t.ExecContext(ctx, insertAttempt, a.Tx.Hash().Hex(), id, string(a.Kind), hex.EncodeToString(raw), a.At.UnixMilli())
	if err != nil {
		return err
	}
	if added, err := result.RowsAffected(); err != nil || added > 0 {
		return err
	}
	return tx.ErrAlike
}

// Add implements tx.Journal.
func (j *Journal) Add(ctx context.Context, intent *tx.Intent, attempt tx.Attempt) error {
	if _, err := j.run.begin(ctx); err != nil {
		return err
	}
	err := j.store.write(ctx, func(t *sql.Tx) error {
		if _, _, err := j.expect(ctx, t, intent); err != nil {
			return err
		}
		if !intent.State.Unsettled() {
			return &tx.ChangedError{ID: intent.ID, Found: intent.State, Nonce: intent.Nonce}
		}
		if intent.State == tx.Refused {
			if err := j.checkFree(ctx, t, intent); err != nil {
				return err
			}
		}
		if _, err := t.ExecContext(ctx, updateIntentState, string(tx.Open), nil, "", intent.ID); err != nil {
			return err
		}
		if intent.Has(attempt.Tx.Hash()) {
			return nil
		}
		return addAttempt(ctx, t, intent.ID, attempt)
	})
	if err != nil {
		return fmt.Errorf("keep the transaction in the journal: %w", err)
	}
	intent.State, intent.Refusal = tx.Open, ""
	if !intent.Has(attempt.Tx.Hash()) {
		intent.Attempts = append(intent.Attempts, attempt)
	}
	return nil
}

// checkFree fails with tx.ErrHeld where an open intent has the nonce of a refused one.
func (j *Journal) checkFree(ctx context.Context, t *sql.Tx, refused *tx.Intent) error {
	unsettled, err := j.all(ctx, t, selectUnsettled, j.network, refused.Account.Hex())
	for _, other := range unsettled {
		if other.State == tx.Open && other.Nonce == refused.Nonce {
			return tx.ErrHeld
		}
	}
	return err
}

// Record implements tx.Journal.
func (j *Journal) Record(ctx context.Context, intent *tx.Intent, outcome tx.Outcome) error {
	token, err := j.run.begin(ctx)
	if err != nil {
		return err
	}
	err = j.store.write(ctx, func(t *sql.Tx) error {
		owner, _, err := j.expect(ctx, t, intent)
		if err != nil {
			return err
		}
		switch {
		case outcome.State == tx.Refused && owner != token:
			return tx.ErrNotOwner
		case outcome.By == common.Hash{} && intent.SettledBy != common.Hash{}:
			// Only another mined transaction takes the place of one.
			return &tx.ChangedError{ID: intent.ID, Found: intent.State, Nonce: intent.Nonce}
		}
		_, err = t.ExecContext(ctx, updateIntentState, string(outcome.State),
			sql.NullString{String: outcome.By.Hex(), Valid: outcome.By != common.Hash{}}, outcome.Refusal, intent.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	intent.State, intent.SettledBy, intent.Refusal = outcome.State, outcome.By, outcome.Refusal
	return nil
}

// Reload implements tx.Journal.
func (j *Journal) Reload(ctx context.Context, intent *tx.Intent) error {
	err := j.store.read(ctx, func(t *sql.Tx) error {
		now, err := j.one(ctx, t, selectIntent, j.network, intent.ID)
		if err != nil {
			return err
		}
		if now == nil {
			return &tx.ChangedError{ID: intent.ID}
		}
		*intent = *now
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	return nil
}

// Adopt makes an intent the caller's own, unless the run that it belongs to is alive, or
// has reported how it went.
func (j *Journal) Adopt(ctx context.Context, intent *tx.Intent) error {
	token, err := j.run.begin(ctx)
	if err != nil {
		return err
	}
	err = j.store.write(ctx, func(t *sql.Tx) error {
		owner, reported, err := j.expect(ctx, t, intent)
		if err != nil || owner == token {
			return err
		}
		became, err := j.run.look(ctx, t, owner)
		if err != nil || became == alive || became == gone && reported && !intent.State.Unsettled() {
			return err
		}
		if became == dead { // before it could report how it went
			_, err = t.ExecContext(ctx, updateIntentRun, token, intent.ID)
			return err
		}
		_, err = t.ExecContext(ctx, updateIntentOwner, token, intent.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// End records that the run to which an intent belongs ends, and whether it reported how that
// went. It fails with tx.ErrNotOwner when another run has continued it. The run
// itself ends with Close: until then it counts as one that may still die before its result is
// reported.
func (j *Journal) End(ctx context.Context, intent *tx.Intent, known bool) error {
	token, err := j.run.begin(ctx)
	if err != nil {
		return err
	}
	unknown := 1
	if known {
		unknown = 0
	}
	err = j.store.write(ctx, func(t *sql.Tx) error {
		var owner, state string
		var was, nonce int64
		err := t.QueryRowContext(ctx, selectRun, j.network, intent.ID).Scan(&owner, &was, &state, &nonce)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return &tx.ChangedError{ID: intent.ID}
		case err != nil:
			return err
		case owner != token:
			return tx.ErrNotOwner
		}
		_, err = t.ExecContext(ctx, updateIntentKnown, unknown, intent.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// Intents returns the account's intents, the newest nonce first.
func (j *Journal) Intents(ctx context.Context, account common.Address) ([]*tx.Intent, error) {
	return j.listed(ctx, selectIntents, account)
}

// Unsettled implements tx.Journal.
func (j *Journal) Unsettled(ctx context.Context, account common.Address) ([]*tx.Intent, error) {
	return j.listed(ctx, selectUnsettled, account)
}

func (j *Journal) listed(ctx context.Context, query string, account common.Address) (intents []*tx.Intent, err error) {
	err = j.store.read(ctx, func(t *sql.Tx) (err error) {
		intents, err = j.all(ctx, t, query, j.network, account.Hex())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	return intents, nil
}

// Died tells whether the last run that worked on an intent ended without having reported
// how it went: it died, or did not know.
func (j *Journal) Died(ctx context.Context, intent *tx.Intent) (died bool, err error) {
	err = j.store.read(ctx, func(t *sql.Tx) error {
		var token, state string
		var unknown, nonce int64
		if err := t.QueryRowContext(ctx, selectRun, j.network, intent.ID).Scan(&token, &unknown, &state, &nonce); err != nil {
			return err
		}
		became, err := j.run.look(ctx, t, token)
		died = became == dead || became == gone && unknown != 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("read the journal: %w", err)
	}
	return died, nil
}

// Find returns the intent that a transaction's hash belongs to. It fails with
// tx.ErrUnknown.
func (j *Journal) Find(ctx context.Context, hash common.Hash) (intent *tx.Intent, err error) {
	err = j.store.read(ctx, func(t *sql.Tx) (err error) {
		intent, err = j.one(ctx, t, selectIntentByHash, j.network, hash.Hex())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	if intent == nil {
		return nil, fmt.Errorf("%w: %v", tx.ErrUnknown, hash)
	}
	return intent, nil
}

// one returns the intent that a query finds, nil for none.
func (j *Journal) one(ctx context.Context, t *sql.Tx, query string, args ...any) (*tx.Intent, error) {
	found, err := j.all(ctx, t, query, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func (j *Journal) all(ctx context.Context, t *sql.Tx, query string, args ...any) ([]*tx.Intent, error) {
	rows, err := t.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var intents []*tx.Intent
	for rows.Next() {
		intent, err := scanIntent(rows)
		if err != nil {
			return nil, err
		}
		intents = append(intents, intent)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	rows.Close()
	for _, intent := range intents {
		if intent.Attempts, err = attempts(ctx, t, intent.ID); err != nil {
			return nil, err
		}
	}
	return intents, nil
}

func scanIntent(rows *sql.Rows) (*tx.Intent, error) {
	var i tx.Intent
	var account, state, label string
	var nonce, createdAt int64
	var requestID, settledBy sql.NullString
	if err := rows.Scan(&i.ID, &account, &nonce, &requestID, &label, &state, &settledBy, &i.Refusal, &createdAt); err != nil {
		return nil, err
	}
	i.Account, i.Nonce, i.Label = common.HexToAddress(account), uint64(nonce), tx.ReadLabel(label)
	i.RequestID = requestID.String
	i.State, i.SettledBy = tx.State(state), common.HexToHash(settledBy.String)
	i.CreatedAt = time.UnixMilli(createdAt).UTC()
	return &i, nil
}

func attempts(ctx context.Context, t *sql.Tx, id string) ([]tx.Attempt, error) {
	rows, err := t.QueryContext(ctx, selectAttempts, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []tx.Attempt
	for rows.Next() {
		var kind, text string
		var at int64
		if err := rows.Scan(&kind, &text, &at); err != nil {
			return nil, err
		}
		raw, err := hex.DecodeString(text)
		signed := new(types.Transaction)
		if err == nil {
			err = signed.UnmarshalBinary(raw)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: a transaction in the journal cannot be read: %w", ErrDamaged, err)
		}
		list = append(list, tx.Attempt{Tx: signed, Kind: tx.Kind(kind), At: time.UnixMilli(at).UTC()})
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: intent %s has no transaction", ErrDamaged, strconv.Quote(id))
	}
	return list, nil
}
