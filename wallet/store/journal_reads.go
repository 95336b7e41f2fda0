package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	intentFields       = `SELECT id, account, nonce, request_id, label, state, settled_by, refusal, created_at FROM intents`
	selectIntent       = intentFields + ` WHERE network = $1 AND id = $2`
	selectIntentByHash = intentFields + ` WHERE network = $1 AND id = (SELECT intent FROM attempts WHERE hash = $2)`
	selectRequest      = intentFields + ` WHERE network = $1 AND account = $2 AND request_id = $3`
	selectIntents      = intentFields + ` WHERE network = $1 AND account = $2 ORDER BY nonce DESC, created_at DESC, id`
	selectUnsettled    = intentFields + ` WHERE network = $1 AND account = $2 AND state IN ('open', 'refused') ORDER BY nonce, created_at, id`
	selectDropped      = intentFields + ` WHERE network = $1 AND account = $2 AND nonce >= $3 AND settled_by IS NOT NULL ORDER BY nonce, created_at, id`
	selectHolders      = intentFields + ` WHERE network = $1 AND account = $2 AND nonce = $3 AND (state = 'open' OR settled_by IS NOT NULL)`
	selectSettledNonce = `SELECT COALESCE(MAX(nonce) + 1, 0) FROM intents WHERE network = $1 AND account = $2 AND state NOT IN ('open', 'refused')`
	selectAttempts     = `SELECT kind, raw, signed_at FROM attempts WHERE intent = $1 ORDER BY position`
)

// readJournal describes these methods in errors.
const readJournal = "read the journal"

// Intents returns the account's intents, the newest nonce first.
func (j *Journal) Intents(ctx context.Context, account common.Address) ([]*tx.Intent, error) {
	return j.listed(ctx, selectIntents, account)
}

// Unsettled implements tx.Journal.
func (j *Journal) Unsettled(ctx context.Context, account common.Address) ([]*tx.Intent, error) {
	return j.listed(ctx, selectUnsettled, account)
}

// Dropped implements tx.Journal.
func (j *Journal) Dropped(ctx context.Context, account common.Address, used uint64) ([]*tx.Intent, error) {
	return j.listed(ctx, selectDropped, account, int64(used))
}

func (j *Journal) listed(ctx context.Context, query string, account common.Address, args ...any) ([]*tx.Intent, error) {
	return snapshot(ctx, j.store, readJournal, func(t *db.Tx) ([]*tx.Intent, error) {
		return j.all(t, query, append([]any{j.network, account.Hex()}, args...)...)
	})
}

// Find returns the intent with a transaction's hash. It fails with tx.ErrUnknown.
func (j *Journal) Find(ctx context.Context, hash common.Hash) (*tx.Intent, error) {
	intent, err := snapshot(ctx, j.store, readJournal, func(t *db.Tx) (*tx.Intent, error) {
		return j.one(t, selectIntentByHash, j.network, hash.Hex())
	})
	if err == nil && intent == nil {
		err = fmt.Errorf("%w: %v", tx.ErrUnknown, hash)
	}
	return intent, err
}

// Reload implements tx.Journal.
func (j *Journal) Reload(ctx context.Context, intent *tx.Intent) error {
	now, err := snapshot(ctx, j.store, readJournal, func(t *db.Tx) (*tx.Intent, error) {
		now, err := j.one(t, selectIntent, j.network, intent.ID)
		if err == nil && now == nil {
			err = &tx.ChangedError{ID: intent.ID}
		}
		return now, err
	})
	if err == nil {
		*intent = *now
	}
	return err
}

// Queue returns the account's unsettled transactions, for tx.Terms.Agree before anything is
// signed. It knows the journal alone, not the nonces that the chain has used.
func (j *Journal) Queue(ctx context.Context, account common.Address) (tx.Queue, error) {
	return snapshot(ctx, j.store, readJournal, func(t *db.Tx) (tx.Queue, error) {
		return j.queue(t, &tx.Intent{Account: account}, 0, 0)
	})
}

// queue returns the unsettled transactions of an intent's account, without its own.
func (j *Journal) queue(t *db.Tx, beside *tx.Intent, used, pending uint64) (tx.Queue, error) {
	var settled int64
	if err := t.Row(selectSettledNonce, j.network, beside.Account.Hex()).Scan(&settled); err != nil {
		return tx.Queue{}, err
	}
	all, err := j.all(t, selectUnsettled, j.network, beside.Account.Hex())
	if err != nil {
		return tx.Queue{}, err
	}
	others := slices.DeleteFunc(all, func(i *tx.Intent) bool { return i.ID == beside.ID })
	return tx.NewQueue(used, pending, uint64(settled), others), nil
}

// one returns the intent that a query finds, nil if there is none.
func (j *Journal) one(t *db.Tx, query string, args ...any) (*tx.Intent, error) {
	found, err := j.all(t, query, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func (j *Journal) all(t *db.Tx, query string, args ...any) ([]*tx.Intent, error) {
	intents, err := db.List(t, scanIntent, query, args...)
	for _, intent := range intents {
		if err == nil {
			intent.Attempts, err = db.List(t, scanAttempt, selectAttempts, intent.ID)
		}
		if err == nil && len(intent.Attempts) == 0 {
			err = fmt.Errorf("%w: intent %s has no transaction", ErrDamaged, strconv.Quote(intent.ID))
		}
	}
	return intents, err
}

func scanIntent(rows db.Scanner) (*tx.Intent, error) {
	var i tx.Intent
	var account, label string
	var nonce int64
	var requestID, settledBy sql.NullString
	err := rows.Scan(&i.ID, &account, &nonce, &requestID, &label, &i.State, &settledBy, &i.Refusal, (*millis)(&i.CreatedAt))
	i.Account, i.Nonce, i.Label = common.HexToAddress(account), uint64(nonce), tx.ReadLabel(label)
	i.RequestID, i.SettledBy = requestID.String, common.HexToHash(settledBy.String)
	return &i, err
}

func scanAttempt(rows db.Scanner) (a tx.Attempt, err error) {
	var text string
	if err := rows.Scan(&a.Kind, &text, (*millis)(&a.At)); err != nil {
		return a, err
	}
	raw, err := hex.DecodeString(text)
	a.Tx = new(types.Transaction)
	if err == nil {
		err = a.Tx.UnmarshalBinary(raw)
	}
	if err != nil {
		err = fmt.Errorf("unreadable transaction in the journal: %w", err)
	}
	return a, err
}
