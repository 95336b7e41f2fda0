package store

import (
	"cmp"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	selectLiveSession = `SELECT client, sequence, asked FROM signer_sessions WHERE chain_id = $1 AND sender = $2 AND state_id = $3`
	upsertLiveSession = `INSERT INTO signer_sessions (chain_id, sender, state_id, client, sequence, asked, opened_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
		ON CONFLICT (chain_id, sender, state_id) DO UPDATE SET sequence = excluded.sequence, asked = excluded.asked, updated_at = excluded.updated_at`

	livePaymentFields = `SELECT position, client, asked, info, recipient_rand_hash, first_nonce, nonces, creation_round, creation_round_block_hash,
		manifest_id, capabilities, state, usage, made_at FROM signer_payments`
	liveSessionKey     = ` WHERE chain_id = $1 AND sender = $2 AND state_id = $3`
	selectLivePayment  = livePaymentFields + liveSessionKey + ` AND sequence = $4`
	selectLiveAnswer   = livePaymentFields + liveSessionKey + ` AND sequence > $4 AND asked = $4 AND info = $5 ORDER BY sequence LIMIT 1`
	selectLiveKey      = livePaymentFields + ` WHERE chain_id = $1 AND sender = $2 AND client = $3 AND request_key = $4`
	selectLastPosition = `SELECT COALESCE(MAX(position), 0) FROM signer_payments`
	insertLivePayment  = `INSERT INTO signer_payments (position, chain_id, sender, client, state_id, sequence, asked, request_key, info, recipient_rand_hash,
		first_nonce, nonces, creation_round, creation_round_block_hash, manifest_id, capabilities, state, usage, made_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`
)

// stateIDBytes is how long a state's ID is here. The deployed signer's have 4 bytes.
const stateIDBytes = 16

func newStateID() string {
	id := make([]byte, stateIDBytes)
	_, _ = rand.Read(id) // which never fails
	return hex.EncodeToString(id)
}

// find returns the session that the request continues, nil for one that begins; or what was
// recorded for the same request before.
func (w *liveWriter) find(r LiveRequest, client *account) (before *live.Session, again *LivePayment, err error) {
	if r.State == nil {
		again, err = w.findKey(r)
		return nil, again, err
	}
	id, asked := r.State.StateID, int64(r.State.SequenceNumber)
	var owner string
	var sequence, lastAsked int64
	known, err := w.tx.Row(selectLiveSession, w.chain.id, w.sender.Hex(), id).Find(&owner, &sequence, &lastAsked)
	switch {
	case err != nil:
		return nil, nil, err
	case known && owner != r.Client:
		name := ""
		if client != nil {
			name = client.Name
		}
		return nil, nil, &ClientError{name, ClientSession, id}
	case !known && len(id) == 2*stateIDBytes:
		// One of pmctl's, of another store or of this one before it lost it.
		return nil, nil, cmp.Or(w.requireComplete(), error(live.ErrStateUnknown))
	case !known || asked > sequence:
		// Another signer of this key has signed it: it knows better.
		return r.State, nil, w.requireComplete()
	}
	if asked < sequence {
		again, err := w.findAnswer(selectLiveAnswer, w.chain.id, w.sender.Hex(), id, asked, r.Info)
		if again != nil || err != nil {
			return nil, again, err
		}
		if asked != lastAsked {
			return nil, nil, live.ErrStateOld
		}
	}
	last, err := w.findAnswer(selectLivePayment, w.chain.id, w.sender.Hex(), id, sequence)
	if err == nil && last == nil {
		err = fmt.Errorf("%w: session %s has no payment %d", ErrDamaged, id, sequence)
	}
	if err != nil {
		return nil, nil, err
	}
	return last.Session, nil, nil
}

// findKey returns what was recorded under the request's key.
func (w *liveWriter) findKey(r LiveRequest) (*LivePayment, error) {
	if r.Key == "" {
		return nil, nil
	}
	again, err := w.findAnswer(selectLiveKey, w.chain.id, w.sender.Hex(), r.Client, r.Key)
	switch {
	case err != nil:
		return nil, err
	case again == nil:
		return nil, w.requireComplete()
	case again.Info != r.Info:
		return nil, &KeyError{r.Key}
	}
	return again, nil
}

// findAnswer returns the payment that a query finds, nil where there is none.
func (w *liveWriter) findAnswer(query string, args ...any) (*LivePayment, error) {
	found, err := db.List(w.tx, scanLivePayment, query, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	found[0].Again = true
	return found[0], nil
}

func scanLivePayment(rows *sql.Rows) (*LivePayment, error) { return scanLivePaymentAfter(rows) }

// scanLivePaymentAfter reads a payment that stands behind other columns.
func scanLivePaymentAfter(rows *sql.Rows, columns ...any) (*LivePayment, error) {
	p := new(LivePayment)
	var hash, round, capabilities string
	var state []byte
	var at int64
	err := rows.Scan(append(columns, &p.Position, &p.Client, &p.Asked, &p.Info, &hash, &p.Nonces.First, &p.Nonces.Count, &p.Expiration.CreationRound, &round,
		&p.ManifestID, &capabilities, &state, &p.Usage, &at)...)
	if err != nil {
		return nil, err
	}
	p.At = fromMillis(at)
	p.Session, err = live.DecodeSession(state)
	if err == nil {
		p.Capabilities, err = hex.DecodeString(capabilities)
	}
	if len(p.Capabilities) == 0 {
		p.Capabilities = nil
	}
	return p, cmp.Or(err,
		column("recipient_rand_hash", &p.RecipientRandHash, parseHash, hash),
		column("creation_round_block_hash", &p.Expiration.CreationRoundBlockHash, parseHash, round))
}

// isLiveRefusal tells a request that may not be from a store that failed.
func isLiveRefusal(err error) bool {
	return isRefusal(err) || errors.As(err, new(live.Refusal)) || errors.Is(err, ErrNoClient)
}
