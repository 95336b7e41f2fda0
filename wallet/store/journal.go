package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// Journal keeps the transactions of one network's accounts, for one run of the program.
type Journal struct {
	store   *Store
	network string
	run     db.Run
}

var _ tx.Journal = (*Journal)(nil)

const (
	insertIntent      = `INSERT INTO intents (id, network, account, nonce, request_id, label, run, unknown, state, refusal, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, '', $9)`
	updateIntentState = `UPDATE intents SET state = $1, settled_by = $2, refusal = $3 WHERE id = $4`
	updateIntentNonce = `UPDATE intents SET nonce = $1, state = 'open', settled_by = NULL, refusal = '' WHERE id = $2`
	insertAttempt     = `INSERT INTO attempts (hash, intent, position, kind, raw, signed_at)
		VALUES ($1, $2, (SELECT COALESCE(MAX(position), 0) + 1 FROM attempts WHERE intent = $2), $3, $4, $5)
		ON CONFLICT (hash) DO NOTHING`
)

// Journal returns the journal of a network. The name must be unique to the chain, since an
// account's nonces start at 0 on each.
func (s *Store) Journal(network string) *Journal {
	return &Journal{store: s, network: network, run: s.db.NewRun()}
}

// Close marks the run as ended. Call it last: the user must have seen the result. A process
// that is killed earlier counts as dead.
func (j *Journal) Close() error { return j.run.End() }

// change runs do in a transaction, as the run with the given token. wrap adds to an error what
// was being done.
func (j *Journal) change(ctx context.Context, wrap func(error) error, do func(t *db.Tx, token string) error) error {
	token, err := j.run.Begin(ctx)
	if err != nil {
		return err
	}
	if err := j.store.write(ctx, func(t *db.Tx) error { return do(t, token) }); err != nil {
		return wrap(err)
	}
	return nil
}

func writing(err error) error { return fmt.Errorf("write the journal: %w", err) }

func keepingTx(err error) error { return fmt.Errorf("store the transaction in the journal: %w", err) }

// Begin implements tx.Journal.
func (j *Journal) Begin(ctx context.Context, intent *tx.Intent, slot tx.Slot) error {
	begun := *intent
	begun.ID, begun.State, begun.CreatedAt = rand.Text(), tx.Open, time.Now().UTC()
	err := j.change(ctx, keeping(&begun), func(t *db.Tx, token string) error {
		if err := j.checkNew(t, token, &begun); err != nil {
			return err
		}
		if err := requireAcknowledged(t); err != nil {
			return err
		}
		if err := j.place(t, &begun, slot); err != nil {
			return err
		}
		err := t.Exec(insertIntent, begun.ID, j.network, begun.Account.Hex(), int64(begun.Nonce),
			sql.NullString{String: begun.RequestID, Valid: begun.RequestID != ""}, string(begun.Label), token, string(begun.State),
			begun.CreatedAt.UnixMilli())
		if err != nil {
			return err
		}
		return addAttempt(t, begun.ID, begun.Attempts[0])
	})
	if err == nil {
		*intent = begun
	}
	return err
}

// checkNew fails if another intent of the same request, or with the same label, forbids this one.
func (j *Journal) checkNew(t *db.Tx, own string, intent *tx.Intent) error {
	if intent.RequestID != "" {
		taken, err := j.one(t, selectRequest, j.network, intent.Account.Hex(), intent.RequestID)
		if err == nil && taken != nil {
			err = tx.ErrTaken
		}
		return err
	}
	other, _, err := j.unfinished(t, own, intent.Account, intent.Label)
	if err == nil && other != nil {
		err = &tx.InProgressError{Intent: other}
	}
	return err
}

// place gives an intent its nonce and a transaction signed with it.
func (j *Journal) place(t *db.Tx, intent *tx.Intent, slot tx.Slot) error {
	q, err := j.queue(t, intent, slot.Used, slot.Pending)
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

// keeping wraps the error of storing a signed transaction.
func keeping(intent *tx.Intent) func(error) error {
	return func(err error) error {
		if errors.Is(err, ErrUncertain) && len(intent.Attempts) > 0 {
			hash := intent.Newest().Hash()
			err = fmt.Errorf("it is not known whether the journal has transaction %s, nonce %d (%s); it was not sent: %w", hash, intent.Nonce, intent.Label, err)
			return hint.With(hint.Kind(tx.ErrUncertain, err),
				"run the same command again: it continues the transaction if the journal has it; pmctl tx list shows it, pmctl tx cancel %s cancels it", hash)
		}
		if errors.Is(err, tx.ErrTaken) || errors.As(err, new(*tx.PendingError)) || errors.Is(err, tx.ErrUnknownPending) || errors.As(err, new(*tx.InProgressError)) {
			return err // there was none to store
		}
		return keepingTx(err)
	}
}

// Move implements tx.Journal.
func (j *Journal) Move(ctx context.Context, intent *tx.Intent, slot tx.Slot) error {
	moved := *intent
	err := j.change(ctx, keeping(&moved), func(t *db.Tx, _ string) error {
		if _, err := j.expect(t, intent); err != nil {
			return err
		}
		if intent.State != tx.Lost && !intent.State.Unsettled() {
			return &tx.ChangedError{ID: intent.ID, Found: intent.State, Nonce: intent.Nonce}
		}
		slot.Used = max(slot.Used, intent.Nonce+1)
		moved.State = tx.Open // its own nonce is used up
		if err := j.place(t, &moved, slot); err != nil {
			return err
		}
		if err := t.Exec(updateIntentNonce, int64(moved.Nonce), moved.ID); err != nil {
			return err
		}
		return addAttempt(t, moved.ID, moved.Attempts[0])
	})
	if err != nil {
		return err
	}
	moved.SettledBy, moved.Refusal = common.Hash{}, ""
	moved.Attempts = append(append([]tx.Attempt{}, intent.Attempts...), moved.Attempts...)
	*intent = moved
	return nil
}

// addAttempt fails with tx.ErrAlike if another intent has the same transaction.
func addAttempt(t *db.Tx, id string, a tx.Attempt) error {
	raw, err := a.Tx.MarshalBinary()
	if err != nil {
		return err
	}
	return insertNew(t, tx.ErrAlike, insertAttempt, a.Tx.Hash().Hex(), id, string(a.Kind), hex.EncodeToString(raw), a.At.UnixMilli())
}

// Add implements tx.Journal.
func (j *Journal) Add(ctx context.Context, intent *tx.Intent, attempt tx.Attempt) error {
	err := j.change(ctx, keepingTx, func(t *db.Tx, _ string) error {
		if _, err := j.expect(t, intent); err != nil {
			return err
		}
		if !intent.State.Unsettled() {
			return &tx.ChangedError{ID: intent.ID, Found: intent.State, Nonce: intent.Nonce}
		}
		if intent.State == tx.Refused {
			if err := j.checkFree(t, intent); err != nil {
				return err
			}
		}
		if err := t.Exec(updateIntentState, string(tx.Open), nil, "", intent.ID); err != nil {
			return err
		}
		if intent.Has(attempt.Tx.Hash()) {
			return nil
		}
		return addAttempt(t, intent.ID, attempt)
	})
	if err != nil {
		return err
	}
	intent.State, intent.Refusal = tx.Open, ""
	if !intent.Has(attempt.Tx.Hash()) {
		intent.Attempts = append(intent.Attempts, attempt)
	}
	return nil
}

// checkFree fails with tx.ErrHeld if an open intent has the nonce of a refused one, or a mined one: that
// may be mined again if its block was replaced.
func (j *Journal) checkFree(t *db.Tx, refused *tx.Intent) error {
	holders, err := j.all(t, selectHolders, j.network, refused.Account.Hex(), int64(refused.Nonce))
	if len(holders) > 0 {
		return tx.ErrHeld
	}
	return err
}

// Record implements tx.Journal.
func (j *Journal) Record(ctx context.Context, intent *tx.Intent, outcome tx.Outcome) error {
	err := j.change(ctx, writing, func(t *db.Tx, token string) error {
		held, err := j.expect(t, intent)
		switch {
		case err != nil:
			return err
		case outcome.State == tx.Refused && held.run != token:
			return tx.ErrNotOwner
		case outcome.By == common.Hash{} && intent.SettledBy != common.Hash{} && outcome.State != tx.Lost:
			// A mined transaction stays, also if its block was replaced, until another one has its nonce.
			return &tx.ChangedError{ID: intent.ID, Found: intent.State, Nonce: intent.Nonce}
		}
		return t.Exec(updateIntentState, string(outcome.State),
			sql.NullString{String: outcome.By.Hex(), Valid: outcome.By != common.Hash{}}, outcome.Refusal, intent.ID)
	})
	if err != nil {
		return err
	}
	intent.State, intent.SettledBy, intent.Refusal = outcome.State, outcome.By, outcome.Refusal
	return nil
}
