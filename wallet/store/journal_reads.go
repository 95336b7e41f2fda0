package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// The intents that match, each with its attempts, in one query: a server may be far away.
const (
	selectIntentsWhere = `SELECT id, account, nonce, request_id, label, state, settled_by, refusal, created_at, kind, raw, signed_at
		FROM intents LEFT JOIN attempts ON intent = id WHERE network = $1`
	selectIntent       = selectIntentsWhere + ` AND id = $2 ORDER BY position`
	selectIntentByHash = selectIntentsWhere + ` AND id = (SELECT intent FROM attempts WHERE hash = $2) ORDER BY position`
	selectRequest      = selectIntentsWhere + ` AND account = $2 AND request_id = $3 ORDER BY position`
	selectIntents      = selectIntentsWhere + ` AND account = $2 ORDER BY nonce DESC, created_at DESC, id, position`
	selectUnsettled    = selectIntentsWhere + ` AND account = $2 AND state IN ('open', 'refused') ORDER BY nonce, created_at, id, position`
	selectDropped      = selectIntentsWhere + ` AND account = $2 AND nonce >= $3 AND settled_by IS NOT NULL ORDER BY nonce, created_at, id, position`
	selectHolders      = selectIntentsWhere + ` AND account = $2 AND nonce = $3 AND (state = 'open' OR settled_by IS NOT NULL) ORDER BY id, position`
	selectSettledNonce = `SELECT COALESCE(MAX(nonce) + 1, 0) FROM intents WHERE network = $1 AND account = $2 AND state NOT IN ('open', 'refused')`
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
	return read(ctx, j.store, readJournal, func(t *db.Tx) ([]*tx.Intent, error) {
		return j.all(t, query, append([]any{j.network, account.Hex()}, args...)...)
	})
}

// Find returns the intent with a transaction's hash. It fails with tx.ErrUnknown.
func (j *Journal) Find(ctx context.Context, hash common.Hash) (*tx.Intent, error) {
	intent, err := read(ctx, j.store, readJournal, func(t *db.Tx) (*tx.Intent, error) {
		return j.one(t, selectIntentByHash, j.network, hash.Hex())
	})
	if err == nil && intent == nil {
		err = fmt.Errorf("%w: %v", tx.ErrUnknown, hash)
	}
	return intent, err
}

// Reload implements tx.Journal.
func (j *Journal) Reload(ctx context.Context, intent *tx.Intent) error {
	now, err := read(ctx, j.store, readJournal, func(t *db.Tx) (*tx.Intent, error) {
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

func (j *Journal) all(t *db.Tx, query string, args ...any) (intents []*tx.Intent, err error) {
	err = db.Each(t, scanIntent, func(i *tx.Intent) error {
		if last := len(intents) - 1; last >= 0 && intents[last].ID == i.ID {
			intents[last].Attempts = append(intents[last].Attempts, i.Attempts...)
			return nil
		}
		intents = append(intents, i)
		return nil
	}, query, args...)
	return intents, err
}

// scanIntent scans an intent with one of its attempts.
func scanIntent(rows db.Scanner) (*tx.Intent, error) {
	var i tx.Intent
	var a tx.Attempt
	var account, label string
	var nonce int64
	var requestID, settledBy, kind, text sql.NullString
	if err := rows.Scan(&i.ID, &account, &nonce, &requestID, &label, &i.State, &settledBy, &i.Refusal, (*millis)(&i.CreatedAt), &kind, &text, (*millis)(&a.At)); err != nil {
		return nil, err
	}
	if !text.Valid {
		return nil, fmt.Errorf("intent %q has no transaction", i.ID)
	}
	i.Account, i.Nonce, i.Label = common.HexToAddress(account), uint64(nonce), tx.ReadLabel(label)
	i.RequestID, i.SettledBy = requestID.String, common.HexToHash(settledBy.String)
	raw, err := hex.DecodeString(text.String)
	a.Kind, a.Tx = tx.Kind(kind.String), new(types.Transaction)
	if err == nil {
		err = a.Tx.UnmarshalBinary(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("unreadable transaction in the journal: %w", err)
	}
	i.Attempts = []tx.Attempt{a}
	return &i, nil
}
