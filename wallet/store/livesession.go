package store

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	livePaymentFields = `SELECT position, client, asked, info, recipient_rand_hash, first_nonce, nonces, creation_round, creation_round_block_hash,
		manifest_id, capabilities, state, usage, made_at FROM signer_payments`
	selectLiveAnswer = livePaymentFields + ` WHERE chain_id = $1 AND sender = $2 AND state_id = $3 AND sequence > $4 AND asked = $4 AND info = $5 ORDER BY sequence LIMIT 1`
	selectLiveKey    = livePaymentFields + ` WHERE chain_id = $1 AND sender = $2 AND client = $3 AND request_key = $4`
)

// stateIDBytes is how long a state's ID is here. The deployed signer's have 4 bytes.
const stateIDBytes = 16

// NewStateID returns an ID for a session that begins.
func NewStateID() string {
	id := make([]byte, stateIDBytes)
	_, _ = rand.Read(id) // which never fails
	return hex.EncodeToString(id)
}

// find returns the session that the request continues, nil for one that begins; or the payment
// that was made for the same request before.
func (b *liveBatch) find(r LiveRequest, client *account) (before *live.Session, again *LivePayment, err error) {
	if r.State == nil {
		again, err = b.findKey(r)
		return nil, again, err
	}
	id, asked := r.State.StateID, int64(r.State.SequenceNumber)
	session := b.sessions[id]
	switch {
	case session != nil && session.client != r.Client:
		name := ""
		if client != nil {
			name = client.Name
		}
		return nil, nil, &ClientError{name, ClientSession, id}
	case session == nil && len(id) == 2*stateIDBytes:
		// One of pmctl's, of another store or of this one before it lost it.
		return nil, nil, cmp.Or(b.complete, error(live.ErrStateUnknown))
	case session == nil && client != nil && r.Auth.ID != "" && (r.Auth.Alias == "" || r.Auth.Alias == r.State.AuthID):
		// Another signer of this key has begun it, and may have had another name for the client.
		taken := *r.State
		taken.AuthID = ""
		return &taken, nil, b.complete
	case session == nil || asked > session.sequence:
		// Another signer of this key has signed it, after what is recorded here.
		return r.State, nil, b.complete
	}
	if asked < session.sequence {
		again, err := b.findAnswer(func(p newLivePayment) bool {
			return p.Session.StateID == id && p.Asked == asked && p.Info == r.Info
		}, selectLiveAnswer, b.chain.id, b.sender.Hex(), id, asked, r.Info)
		if again != nil || err != nil {
			return nil, again, err
		}
		if asked != session.asked {
			return nil, nil, live.ErrStateOld
		}
	}
	if session.encoded == "" {
		return nil, nil, fmt.Errorf("%w: session %s has no payment %d", ErrDamaged, id, session.sequence)
	}
	before, err = session.decode(r)
	return before, nil, err
}

// findKey returns the payment that was made under the request's key.
func (b *liveBatch) findKey(r LiveRequest) (*LivePayment, error) {
	if r.Key == "" {
		return nil, nil
	}
	again, err := b.findAnswer(func(p newLivePayment) bool {
		return p.Client == r.Client && p.key == r.Key
	}, selectLiveKey, b.chain.id, b.sender.Hex(), r.Client, r.Key)
	switch {
	case err != nil:
		return nil, err
	case again == nil:
		return nil, b.complete
	case again.Info != r.Info:
		return nil, live.Refuse(http.StatusUnprocessableEntity, "idempotency key %q was already used with another OrchestratorInfo", r.Key)
	}
	return again, nil
}

// findAnswer returns the payment that matches or that a query finds, nil where there is none.
func (b *liveBatch) findAnswer(matches func(newLivePayment) bool, query string, args ...any) (*LivePayment, error) {
	if again := b.pending(matches); again != nil {
		return again, nil
	}
	found, err := db.List(b.tx, scanLivePayment, query, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	found[0].Again = true
	return found[0], nil
}

func scanLivePayment(rows db.Scanner) (*LivePayment, error) { return scanLivePaymentAfter(rows) }

// scanLivePaymentAfter reads a payment that stands behind other columns.
func scanLivePaymentAfter(rows db.Scanner, columns ...any) (*LivePayment, error) {
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
	p.Encoded = state
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
