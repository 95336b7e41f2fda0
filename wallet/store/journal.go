package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/tx"
)

// version3 is the journal of accounts' transactions.
var version3 = []string{
	`CREATE TABLE intents (
		id         TEXT   PRIMARY KEY,
		network    TEXT   NOT NULL,
		account    TEXT   NOT NULL,
		nonce      BIGINT NOT NULL,
		request_id TEXT, -- the user's own name for it
		label      TEXT   NOT NULL, -- what it does
		run        TEXT   NOT NULL, -- the run that works on it, or was the last to
		unknown    BIGINT NOT NULL, -- 1 until a run knows how it went
		state      TEXT   NOT NULL,
		settled_by TEXT,
		created_at BIGINT NOT NULL,
		UNIQUE (network, account, nonce),
		UNIQUE (network, account, request_id)
	)`,
	`CREATE TABLE attempts (
		hash      TEXT   PRIMARY KEY,
		intent    TEXT   NOT NULL REFERENCES intents ON DELETE CASCADE,
		kind      TEXT   NOT NULL,
		raw       TEXT   NOT NULL, -- signed
		signed_at BIGINT NOT NULL
	)`,
	`CREATE INDEX attempts_of_intent ON attempts (intent, signed_at)`,
}

const (
	intentFields = `SELECT id, account, nonce, request_id, label, state, settled_by, created_at FROM intents`

	selectIntent        = intentFields + ` WHERE network = $1 AND id = $2`
	selectIntentByHash  = intentFields + ` WHERE network = $1 AND id = (SELECT intent FROM attempts WHERE hash = $2)`
	selectRequest       = intentFields + ` WHERE network = $1 AND account = $2 AND request_id = $3`
	selectIntents       = intentFields + ` WHERE network = $1 AND account = $2 ORDER BY nonce DESC`
	selectUnfinished    = `SELECT id, run, unknown FROM intents WHERE network = $1 AND account = $2 AND label = $3 AND request_id IS NULL ORDER BY nonce DESC`
	selectRun           = `SELECT run, unknown FROM intents WHERE id = $1`
	selectBetween       = intentFields + ` WHERE network = $1 AND account = $2 AND nonce >= $3 AND nonce < $4 ORDER BY nonce`
	selectSettledNonce  = `SELECT COALESCE(MAX(nonce) + 1, 0) FROM intents WHERE network = $1 AND account = $2 AND state <> 'open'`
	selectHeldNonces    = `SELECT nonce FROM intents WHERE network = $1 AND account = $2 AND nonce >= $3 ORDER BY nonce`
	insertIntent        = `INSERT INTO intents (id, network, account, nonce, request_id, label, run, unknown, state, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)`
	updateIntentRun     = `UPDATE intents SET run = $1, unknown = 1 WHERE id = $2`
	updateIntentKnown   = `UPDATE intents SET unknown = $1 WHERE id = $2`
	updateIntentState   = `UPDATE intents SET state = $1, settled_by = $2 WHERE id = $3`
	deleteIntent        = `DELETE FROM intents WHERE id = $1`
	deleteIntentAttempt = `DELETE FROM attempts WHERE intent = $1`
	insertAttempt       = `INSERT INTO attempts (hash, intent, kind, raw, signed_at) VALUES ($1, $2, $3, $4, $5)`
	selectAttempts      = `SELECT kind, raw, signed_at FROM attempts WHERE intent = $1 ORDER BY signed_at, hash`
)

// Journal is the store as it keeps the transactions of one network's accounts, for one
// run of the program.
type Journal struct {
	store   *Store
	network string
	run     run
}

var _ tx.SignedJournal = (*Journal)(nil)

// Journal returns the journal of a network. Its name must tell a chain from every other:
// an account's nonces begin anew on each.
func (s *Store) Journal(network string) *Journal {
	return &Journal{store: s, network: network, run: s.backend.newRun(s.db)}
}

// Close tells other runs that this one has ended, and that whoever waited for it knows.
// It is the last thing that a process does: one that is killed before counts as dead.
func (j *Journal) Close() error { return j.run.end() }

// Resume implements tx.Journal.
func (j *Journal) Resume(ctx context.Context, account common.Address, requestID, label string) (*tx.Intent, error) {
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
			intent, before, err = j.unfinished(ctx, t, account, label)
		}
		if err != nil || intent == nil {
			return err
		}
		_, err = t.ExecContext(ctx, updateIntentRun, token, intent.ID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look into the journal: %w", err)
	}
	if before != "" && before != token {
		j.run.forget(before)
	}
	return intent, nil
}

func (j *Journal) requested(ctx context.Context, t *sql.Tx, account common.Address, requestID, label string) (*tx.Intent, error) {
	intent, err := j.one(ctx, t, selectRequest, j.network, account.Hex(), requestID)
	if err == nil && intent != nil && intent.Label != label {
		err = &tx.RequestError{ID: requestID, Label: intent.Label}
	}
	return intent, err
}

// unfinished returns the newest intent of that label whose last run does not know how it
// went, or died after it knew and before anybody could be told, with that run's token.
func (j *Journal) unfinished(ctx context.Context, t *sql.Tx, account common.Address, label string) (*tx.Intent, string, error) {
	type candidate struct {
		id, run string
		unknown bool
	}
	var candidates []candidate
	rows, err := t.QueryContext(ctx, selectUnfinished, j.network, account.Hex(), label)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	for rows.Next() {
		var c candidate
		var unknown int64
		if err := rows.Scan(&c.id, &c.run, &unknown); err != nil {
			return nil, "", err
		}
		c.unknown = unknown != 0
		candidates = append(candidates, c)
	}
	if err := rows.Err(); err != nil {
		return nil, "", err
	}
	rows.Close()
	for _, c := range candidates {
		became, err := j.run.look(ctx, t, c.run)
		if err != nil {
			return nil, "", err
		}
		if became == dead || became == gone && c.unknown {
			intent, err := j.one(ctx, t, selectIntent, j.network, c.id)
			return intent, c.run, err
		}
	}
	return nil, "", nil
}

// Begin implements tx.Journal.
func (j *Journal) Begin(ctx context.Context, intent *tx.Intent, pending uint64, sign func(uint64) (*types.Transaction, error)) error {
	token, err := j.run.begin(ctx)
	if err != nil {
		return err
	}
	begun := *intent
	begun.ID, begun.State, begun.CreatedAt = rand.Text(), tx.Open, time.Now().UTC()
	err = j.store.write(ctx, func(t *sql.Tx) error {
		if begun.RequestID != "" {
			taken, err := j.one(ctx, t, selectRequest, j.network, begun.Account.Hex(), begun.RequestID)
			if err != nil {
				return err
			}
			if taken != nil {
				return tx.ErrTaken
			}
		}
		var err error
		if begun.Nonce, err = j.freeNonce(ctx, t, begun.Account, pending); err != nil {
			return err
		}
		signed, err := sign(begun.Nonce)
		if err != nil {
			return fmt.Errorf("sign the transaction: %w", err)
		}
		begun.Attempts = []tx.Attempt{{Tx: signed, Kind: tx.KindCall, At: begun.CreatedAt}}
		_, err = t.ExecContext(ctx, insertIntent, begun.ID, j.network, begun.Account.Hex(), int64(begun.Nonce),
			sql.NullString{String: begun.RequestID, Valid: begun.RequestID != ""}, begun.Label, token, string(begun.State),
			begun.CreatedAt.UnixMilli())
		if err != nil {
			return err
		}
		return addAttempt(ctx, t, begun.ID, begun.Attempts[0])
	})
	if err != nil {
		return fmt.Errorf("keep the transaction in the journal: %w", err)
	}
	*intent = begun
	return nil
}

// freeNonce returns the lowest nonce from pending on that no intent holds: one that was
// forgotten leaves a gap, which must be filled before what comes after it can be mined.
// A node may be behind what the journal knows to be mined.
func (j *Journal) freeNonce(ctx context.Context, t *sql.Tx, account common.Address, pending uint64) (uint64, error) {
	var settled int64
	if err := t.QueryRowContext(ctx, selectSettledNonce, j.network, account.Hex()).Scan(&settled); err != nil {
		return 0, err
	}
	pending = max(pending, uint64(settled))
	rows, err := t.QueryContext(ctx, selectHeldNonces, j.network, account.Hex(), int64(pending))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	free := pending
	for rows.Next() {
		var held int64
		if err := rows.Scan(&held); err != nil {
			return 0, err
		}
		if uint64(held) == free {
			free++
		}
	}
	return free, rows.Err()
}

func addAttempt(ctx context.Context, t *sql.Tx, id string, a tx.Attempt) error {
	raw, err := a.Tx.MarshalBinary()
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, insertAttempt, a.Tx.Hash().Hex(), id, string(a.Kind), hex.EncodeToString(raw), a.At.UnixMilli())
	return err
}

// Add implements tx.Journal.
func (j *Journal) Add(ctx context.Context, intent *tx.Intent, attempt tx.Attempt) error {
	if _, err := j.run.begin(ctx); err != nil {
		return err
	}
	err := j.store.write(ctx, func(t *sql.Tx) error { return addAttempt(ctx, t, intent.ID, attempt) })
	if err != nil {
		return fmt.Errorf("keep the transaction in the journal: %w", err)
	}
	intent.Attempts = append(intent.Attempts, attempt)
	return nil
}

// Settle implements tx.Journal.
func (j *Journal) Settle(ctx context.Context, intent *tx.Intent, state tx.State, by common.Hash) error {
	settledBy := sql.NullString{String: by.Hex(), Valid: by != common.Hash{}}
	if err := j.exec(ctx, updateIntentState, string(state), settledBy, intent.ID); err != nil {
		return err
	}
	intent.State, intent.SettledBy = state, by
	return nil
}

// Forget implements tx.Journal.
func (j *Journal) Forget(ctx context.Context, intent *tx.Intent) error {
	return j.store.write(ctx, func(t *sql.Tx) error {
		if _, err := t.ExecContext(ctx, deleteIntentAttempt, intent.ID); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, deleteIntent, intent.ID)
		return err
	})
}

// End implements tx.Journal. The run itself ends with Close: until then it counts as one
// that may still die before anybody is told.
func (j *Journal) End(ctx context.Context, intent *tx.Intent, known bool) error {
	unknown := 1
	if known {
		unknown = 0
	}
	return j.exec(ctx, updateIntentKnown, unknown, intent.ID)
}

func (j *Journal) exec(ctx context.Context, statement string, args ...any) error {
	err := j.store.write(ctx, func(t *sql.Tx) error {
		_, err := t.ExecContext(ctx, statement, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// Intents returns the account's intents, the newest nonce first.
func (j *Journal) Intents(ctx context.Context, account common.Address) (intents []*tx.Intent, err error) {
	err = j.store.read(ctx, func(t *sql.Tx) (err error) {
		intents, err = j.all(ctx, t, selectIntents, j.network, account.Hex())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	return intents, nil
}

// Between implements tx.Journal.
func (j *Journal) Between(ctx context.Context, account common.Address, from, to uint64) (intents []*tx.Intent, err error) {
	err = j.store.read(ctx, func(t *sql.Tx) (err error) {
		intents, err = j.all(ctx, t, selectBetween, j.network, account.Hex(), int64(from), int64(to))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	return intents, nil
}

// Died tells whether the last run that worked on an intent ended without anybody having
// been told how it went: it died, or did not know.
func (j *Journal) Died(ctx context.Context, intent *tx.Intent) (died bool, err error) {
	err = j.store.read(ctx, func(t *sql.Tx) error {
		var token string
		var unknown int64
		if err := t.QueryRowContext(ctx, selectRun, intent.ID).Scan(&token, &unknown); err != nil {
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
	var account, state string
	var nonce, createdAt int64
	var requestID, settledBy sql.NullString
	if err := rows.Scan(&i.ID, &account, &nonce, &requestID, &i.Label, &state, &settledBy, &createdAt); err != nil {
		return nil, err
	}
	i.Account, i.Nonce = common.HexToAddress(account), uint64(nonce)
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
