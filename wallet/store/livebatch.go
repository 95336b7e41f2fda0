package store

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// liveBatch is the state that the requests of one transaction start from and change. All of it
// is read at the start and written at the end, in a few statements however many requests there
// are: each is a round trip to a database server.
type liveBatch struct {
	*LivePayments
	tx       *db.Tx
	books    *books
	accounts *accounts

	// sessions are those of the requests' states, by state ID, and of the new payments.
	sessions map[string]*liveSession

	// counts are the nonces of the requests' ticket params.
	counts map[common.Hash]*nonceCount

	// last is the position of the last payment; complete is false for a store that may lack
	// records.
	last     int64
	complete error

	// payments are the new ones, and reservations what is entered for them into the ledger.
	payments     []newLivePayment
	reservations [][]any
}

// liveSession is how far a session has come.
type liveSession struct {
	client string
	// sequence is that of the last payment, asked that of the state that it was asked with.
	sequence, asked int64
	// last is the last payment; nil where it is missing.
	last *LivePayment
}

// nonceCount is how many nonces of a set of ticket params are used: before and after the requests.
type nonceCount struct {
	before, used uint32
	retired      error
}

// newLivePayment is a payment with the key that it was asked with, if any.
type newLivePayment struct {
	*LivePayment
	key string
}

const (
	selectSessionsIn = `SELECT state_id, client, sequence, asked FROM signer_sessions WHERE chain_id = $1 AND sender = $2 AND state_id IN`
	selectLastIn     = `SELECT p.position, p.client, p.asked, p.info, p.recipient_rand_hash, p.first_nonce, p.nonces, p.creation_round,
		p.creation_round_block_hash, p.manifest_id, p.capabilities, p.state, p.usage, p.made_at
		FROM signer_payments p JOIN signer_sessions s ON s.chain_id = p.chain_id AND s.sender = p.sender AND s.state_id = p.state_id AND s.sequence = p.sequence
		WHERE s.chain_id = $1 AND s.sender = $2 AND s.state_id IN`
	selectCountsIn = `SELECT s.recipient_rand_hash, s.used_nonces, s.retired_at, COALESCE((SELECT r.first_nonce + r.nonces - 1 FROM reservations r
		WHERE r.recipient_rand_hash = s.recipient_rand_hash ORDER BY r.first_nonce DESC LIMIT 1), 0)
		FROM sessions s WHERE s.recipient_rand_hash IN`
	selectLastPosition = `SELECT COALESCE(MAX(position), 0) FROM signer_payments`

	intoLivePayments = `INSERT INTO signer_payments (position, chain_id, sender, client, state_id, sequence, asked, request_key, info, recipient_rand_hash,
		first_nonce, nonces, creation_round, creation_round_block_hash, manifest_id, capabilities, state, usage, made_at) VALUES `
	intoLiveSessions = `INSERT INTO signer_sessions (chain_id, sender, state_id, client, sequence, asked, opened_at, updated_at) VALUES `
	onLiveSession    = ` ON CONFLICT (chain_id, sender, state_id) DO UPDATE SET sequence = excluded.sequence, asked = excluded.asked, updated_at = excluded.updated_at`
	intoSessions     = `INSERT INTO sessions (recipient_rand_hash, used_nonces) VALUES `

	// A count that is not below the new one was changed in spite of the lock: then a row too
	// few is changed. One that is below it clashes with a reservation.
	onSession = ` ON CONFLICT (recipient_rand_hash) DO UPDATE SET used_nonces = excluded.used_nonces WHERE sessions.used_nonces < excluded.used_nonces`
)

// load reads what requests start from.
func (p *LivePayments) load(tx *db.Tx, requests []LiveRequest) (*liveBatch, error) {
	b := &liveBatch{
		LivePayments: p, tx: tx, books: newBooks(p.chain.id, tx), accounts: newAccounts(tx),
		sessions: make(map[string]*liveSession), counts: make(map[common.Hash]*nonceCount), complete: requireAcknowledged(tx),
	}
	if b.complete != nil && !isRefusal(b.complete) {
		return nil, b.complete
	}
	states, clients, credentials := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	for _, r := range requests {
		if r.State != nil {
			states[r.State.StateID] = true
		}
		if r.Client != "" {
			clients[r.Client] = true
		}
		if r.Credential.Value != "" {
			credentials[r.Credential.Value] = true
		}
		if r.Params != nil {
			b.counts[r.Params.RecipientRandHash] = new(nonceCount)
		}
	}
	err := b.tx.Row(selectLastPosition).Scan(&b.last)
	if err == nil {
		err = b.loadSessions(slices.Collect(maps.Keys(states)))
	}
	if err == nil {
		err = b.loadCounts()
	}
	if err == nil {
		err = b.accounts.load(slices.Collect(maps.Keys(clients)), slices.Collect(maps.Keys(credentials)))
	}
	return b, err
}

func (b *liveBatch) loadSessions(ids []string) error {
	key := []any{b.chain.id, b.sender.Hex()}
	_, err := db.ListIn(b.tx, func(rows *sql.Rows) (s *liveSession, err error) {
		var id string
		s = new(liveSession)
		err = rows.Scan(&id, &s.client, &s.sequence, &s.asked)
		b.sessions[id] = s
		return s, err
	}, selectSessionsIn, key, ids)
	if err != nil {
		return err
	}
	last, err := db.ListIn(b.tx, scanLivePayment, selectLastIn, key, ids)
	for _, p := range last {
		if s := b.sessions[p.Session.StateID]; s != nil {
			s.last = p
		}
	}
	return err
}

// loadCounts compares each count with the last reservation, as checkLast does.
func (b *liveBatch) loadCounts() error {
	var hashes []string
	for hash := range b.counts {
		hashes = append(hashes, hash.Hex())
	}
	_, err := db.ListIn(b.tx, func(rows *sql.Rows) (hash common.Hash, err error) {
		var text string
		var used, last int64
		var retired sql.NullInt64
		if err := rows.Scan(&text, &used, &retired, &last); err != nil {
			return hash, err
		}
		if hash, err = parseHash(text); err == nil && used != last {
			err = unevenError(hash, used, last)
		}
		count := &nonceCount{before: uint32(used), used: uint32(used)}
		if retired.Valid {
			count.retired = &RetiredError{RecipientRandHash: hash, At: fromMillis(retired.Int64)}
		}
		b.counts[hash] = count
		return hash, err
	}, selectCountsIn, nil, hashes)
	return err
}

// add notes a payment that is to be recorded, and what is entered into the ledger for it.
func (b *liveBatch) add(r LiveRequest, p *LivePayment) {
	count := b.counts[p.RecipientRandHash]
	enter := func(first, last uint32, client string) {
		if first <= last {
			b.reservations = append(b.reservations, b.chain.reservationRow(b.sender, r.Params, pm.NonceRange{First: first, Count: last - first + 1}, r.At, client))
		}
	}
	end := p.Nonces.First + p.Nonces.Count - 1
	enter(count.used+1, p.Nonces.First-1, "") // those of another signer
	enter(p.Nonces.First, end, p.Client)
	count.used = end
	b.last = p.Position
	b.sessions[p.Session.StateID] = &liveSession{p.Client, int64(p.Session.SequenceNumber), p.Asked, p}
	added := newLivePayment{LivePayment: p}
	if r.State == nil {
		added.key = r.Key
	}
	b.payments = append(b.payments, added)
}

// pending returns the new payment that matches, as one that was made before; nil without one.
func (b *liveBatch) pending(matches func(newLivePayment) bool) *LivePayment {
	at := slices.IndexFunc(b.payments, matches)
	if at < 0 {
		return nil
	}
	again := *b.payments[at].LivePayment
	again.Again = true
	return &again
}

func (b *liveBatch) write() error {
	var counts, payments, sessions [][]any
	for hash, count := range b.counts {
		if count.used > count.before {
			counts = append(counts, []any{hash.Hex(), int64(count.used)})
		}
	}
	written := make(map[string]bool)
	for _, p := range slices.Backward(b.payments) {
		state, err := p.Session.Encode()
		if err != nil {
			return err
		}
		sequence, at := int64(p.Session.SequenceNumber), p.At.UnixMilli()
		payments = append(payments, []any{
			p.Position, b.chain.id, b.sender.Hex(), p.Client, p.Session.StateID, sequence, p.Asked, sql.NullString{String: p.key, Valid: p.key != ""},
			p.Info, p.RecipientRandHash.Hex(), p.Nonces.First, p.Nonces.Count, p.Expiration.CreationRound, p.Expiration.CreationRoundBlockHash.Hex(),
			p.ManifestID, hex.EncodeToString(p.Capabilities), string(state), string(p.Usage), at,
		})
		if !written[p.Session.StateID] {
			written[p.Session.StateID] = true
			sessions = append(sessions, []any{b.chain.id, b.sender.Hex(), p.Session.StateID, p.Client, sequence, p.Asked, at, at})
		}
	}
	changed, err := b.tx.ChangeAll(intoSessions, counts, onSession)
	if err == nil && changed != int64(len(counts)) {
		err = fmt.Errorf("%d sessions advanced instead of %d: %w", changed, len(counts), ErrDamaged)
	}
	for _, rows := range []struct {
		into string
		rows [][]any
		on   string
	}{{intoReservations, b.reservations, ""}, {intoLiveSessions, sessions, onLiveSession}, {intoLivePayments, payments, ""}} {
		if err == nil {
			_, err = b.tx.ChangeAll(rows.into, rows.rows, rows.on)
		}
	}
	if err == nil {
		err = b.books.close()
	}
	if err == nil {
		err = b.accounts.close()
	}
	return err
}
