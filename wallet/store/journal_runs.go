package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	selectRunsOfAccount = `SELECT id, label, request_id IS NOT NULL, run, unknown <> 0, state FROM intents WHERE network = $1 AND account = $2
		ORDER BY request_id IS NOT NULL, nonce DESC, created_at DESC, id`
	selectRun         = `SELECT run, unknown <> 0, state, nonce FROM intents WHERE network = $1 AND id = $2`
	updateIntentRun   = `UPDATE intents SET run = $1, unknown = 1 WHERE id = $2`
	updateIntentOwner = `UPDATE intents SET run = $1 WHERE id = $2`
	updateIntentKnown = `UPDATE intents SET unknown = $1 WHERE id = $2`
)

// Resume returns the intent that a command continues, which from then on belongs to this run;
// nil if the command is to begin a new one. A request ID names an intent for ever. Without one,
// a command continues an intent with the same label that is not settled, or that was settled in
// a run that died before it could report that.
//
// It fails with tx.ErrRequest if the request ID was used with different arguments, and with
// *tx.InProgressError if a run that may still be alive has an open intent with the same label,
// or if such an intent has a request ID.
func (j *Journal) Resume(ctx context.Context, account common.Address, requestID string, label tx.Label) (*tx.Intent, error) {
	var intent *tx.Intent
	var before, own string
	err := j.change(ctx, looking, func(t *db.Tx, token string) (err error) {
		own = token
		if requestID != "" {
			intent, err = j.requested(t, account, requestID, label)
		} else {
			intent, before, err = j.unfinished(t, token, account, label)
		}
		if err != nil {
			return err
		}
		if intent == nil {
			return requireAcknowledged(t)
		}
		return t.Exec(updateIntentRun, token, intent.ID)
	})
	if err != nil {
		return nil, err
	}
	if before != "" && before != own {
		j.run.Forget(before)
	}
	return intent, nil
}

func looking(err error) error {
	if errors.As(err, new(*tx.InProgressError)) || errors.Is(err, tx.ErrRequest) {
		return err
	}
	return fmt.Errorf("search the journal: %w", err)
}

func (j *Journal) requested(t *db.Tx, account common.Address, requestID string, label tx.Label) (*tx.Intent, error) {
	intent, err := j.one(t, selectRequest, j.network, account.Hex(), requestID)
	if err == nil && intent != nil && intent.Label != label {
		err = hint.With(hint.Kind(tx.ErrRequest, fmt.Errorf("request ID %q was already used with different arguments: %s", requestID, intent.Label)),
			"choose another request ID: each is used once, for one transaction")
	}
	return intent, err
}

// unfinished returns the newest intent with a label that is not settled or whose last run did
// not report the result, with that run's token. It fails with *tx.InProgressError if another
// run is alive and has it, or if the intent has a request ID.
func (j *Journal) unfinished(t *db.Tx, own string, account common.Address, label tx.Label) (*tx.Intent, string, error) {
	owned, err := j.owned(t, account, label)
	if err != nil {
		return nil, "", err
	}
	for _, o := range owned {
		became, err := j.run.State(t, o.run)
		if err != nil {
			return nil, "", err
		}
		// Another run may have recorded the result before the intent's own run could report it.
		reported := o.requestID || !o.unknown && became != db.Dead
		if reported && !o.state.Unsettled() {
			continue
		}
		intent, err := j.one(t, selectIntent, j.network, o.id)
		if err == nil && (became == db.Alive && o.run != own || o.requestID) {
			err = &tx.InProgressError{Intent: intent}
		}
		return intent, o.run, err
	}
	return nil, "", nil
}

// ownedIntent is an intent with the run that it belongs to.
type ownedIntent struct {
	holder
	id, label string
	requestID bool
}

// owned returns an account's intents with a label, those with a request ID last, and the newest
// first. Labels are compared here, not in SQL, since rows of earlier versions have sentences instead.
func (j *Journal) owned(t *db.Tx, account common.Address, label tx.Label) ([]ownedIntent, error) {
	all, err := db.List(t, db.Fields(func(o *ownedIntent) []any {
		return []any{&o.id, &o.label, &o.requestID, &o.run, &o.unknown, &o.state}
	}), selectRunsOfAccount, j.network, account.Hex())
	return slices.DeleteFunc(all, func(o ownedIntent) bool { return tx.ReadLabel(o.label) != label }), err
}

// holder is the run that an intent belongs to, and the intent's state.
type holder struct {
	run     string
	unknown bool // the run has not reported the result
	state   tx.State
	nonce   uint64
}

// holder fails with *tx.ChangedError if there is no such intent.
func (j *Journal) holder(t *db.Tx, id string) (h holder, err error) {
	var nonce int64
	found, err := t.Row(selectRun, j.network, id).Find(&h.run, &h.unknown, &h.state, &nonce)
	if err == nil && !found {
		err = &tx.ChangedError{ID: id}
	}
	h.nonce = uint64(nonce)
	return h, err
}

// expect fails with *tx.ChangedError if an intent has changed since the caller read it.
func (j *Journal) expect(t *db.Tx, intent *tx.Intent) (holder, error) {
	h, err := j.holder(t, intent.ID)
	if err == nil && (h.state != intent.State || h.nonce != intent.Nonce) {
		err = &tx.ChangedError{ID: intent.ID, Found: h.state, Nonce: h.nonce}
	}
	return h, err
}

// Adopt makes an intent the caller's own, unless the run that it belongs to is alive or has
// reported the result.
func (j *Journal) Adopt(ctx context.Context, intent *tx.Intent) error {
	return j.change(ctx, writing, func(t *db.Tx, token string) error {
		held, err := j.expect(t, intent)
		if err != nil || held.run == token {
			return err
		}
		became, err := j.run.State(t, held.run)
		if err != nil || became == db.Alive || became == db.Gone && !held.unknown && !intent.State.Unsettled() {
			return err
		}
		if became == db.Dead { // before it could report the result
			return t.Exec(updateIntentRun, token, intent.ID)
		}
		return t.Exec(updateIntentOwner, token, intent.ID)
	})
}

// End records that an intent's run has ended its work on it, and whether it has reported the
// result. It fails with tx.ErrNotOwner if another run has continued the intent. The run itself
// ends with Close: until then it may still die before the result is shown.
func (j *Journal) End(ctx context.Context, intent *tx.Intent, known bool) error {
	unknown := 1
	if known {
		unknown = 0
	}
	return j.change(ctx, writing, func(t *db.Tx, token string) error {
		held, err := j.holder(t, intent.ID)
		if err == nil && held.run != token {
			err = tx.ErrNotOwner
		}
		if err != nil {
			return err
		}
		return t.Exec(updateIntentKnown, unknown, intent.ID)
	})
}

// Died reports whether the last run that worked on an intent ended without reporting the result.
func (j *Journal) Died(ctx context.Context, intent *tx.Intent) (bool, error) {
	return snapshot(ctx, j.store, readJournal, func(t *db.Tx) (bool, error) {
		held, err := j.holder(t, intent.ID)
		if err != nil {
			return false, err
		}
		became, err := j.run.State(t, held.run)
		return became == db.Dead || became == db.Gone && held.unknown, err
	})
}
