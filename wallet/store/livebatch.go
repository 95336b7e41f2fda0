package store

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// liveBatch is the state that the requests of one transaction start from and change. All of it
// is read at the start and written at the end, in a few statements however many requests there
// are: each is a round trip to a database server.
type liveBatch struct {
	*LivePayments
	*liveKnown
	tx *db.Tx

	// counts are the nonces of the requests' ticket params.
	counts map[common.Hash]*nonceCount

	// payments are the new ones, and reservations what is entered for them into the ledger.
	payments     []newLivePayment
	reservations [][]any
}

// liveKnown is what payments start from, as far as it was read or written. A transaction that finds the
// store as the last one left it continues with that; after another change of the store all is read again.
type liveKnown struct {
	// at is the state of the store that all of it is from; zero before anything was read.
	at       markState
	books    *books
	accounts *accounts

	// sessions are those of requests' states, by state ID, and of payments.
	sessions map[string]*liveSession

	// pins are the addresses behind requests' URLs, zero for those without.
	pins map[string]common.Address

	// last is the position of the last payment; complete is the reason why the store may lack records.
	last     int64
	complete error
}

func (p *LivePayments) newLiveKnown() *liveKnown {
	return &liveKnown{
		books: newBooks(p.chain.id, nil), accounts: newAccounts(), sessions: make(map[string]*liveSession), pins: make(map[string]common.Address),
	}
}

// maxKnown bounds how many sessions, clients, URLs and days are kept.
const maxKnown = 1 << 10

func (k *liveKnown) size() int {
	return len(k.sessions) + len(k.pins) + len(k.accounts.clients) + len(k.accounts.owners) + len(k.accounts.days)
}

// liveMemory keeps what is known from one transaction to the next. Which of two that end at once keeps it does not matter:
// the other state is not the store's any more.
type liveMemory struct {
	mu    sync.Mutex
	known *liveKnown
}

// take returns what was kept of the store in a state, nil for nothing. It is taken away: a transaction
// that fails or is repeated may have changed it.
func (m *liveMemory) take(now markState) *liveKnown {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.known
	m.known = nil
	if known == nil || !known.at.is(now) {
		return nil
	}
	return known
}

func (m *liveMemory) keep(known *liveKnown) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known.size() < maxKnown {
		m.known = known
	}
}

// liveSession is how far a session has come.
type liveSession struct {
	client string
	// sequence is that of the last payment, asked that of the state that it was asked with.
	sequence, asked int64
	// encoded is the session after it; "" where the payment is missing.
	encoded string
}

// decode returns the session after the last payment. Mostly it is the one that a request brings,
// which was decoded already.
func (s *liveSession) decode(r LiveRequest) (*live.Session, error) {
	if s.encoded == string(r.Encoded) {
		return r.State, nil
	}
	last, err := live.DecodeSession([]byte(s.encoded))
	if err != nil {
		err = fmt.Errorf("%w: session %s: %w", ErrDamaged, r.State.StateID, err)
	}
	return last, err
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
	selectSessionsIn = `SELECT s.state_id, s.client, s.sequence, s.asked, p.state FROM signer_sessions s
		LEFT JOIN signer_payments p ON p.chain_id = s.chain_id AND p.sender = s.sender AND p.state_id = s.state_id AND p.sequence = s.sequence
		WHERE s.chain_id = $1 AND s.sender = $2 AND s.state_id`
	selectCountsIn = `SELECT s.recipient_rand_hash, s.used_nonces, s.retired_at, COALESCE((SELECT r.first_nonce + r.nonces - 1 FROM reservations r
		WHERE r.recipient_rand_hash = s.recipient_rand_hash ORDER BY r.first_nonce DESC LIMIT 1), 0)
		FROM sessions s WHERE s.recipient_rand_hash`
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

// load reads what requests start from, unless it is known.
func (p *LivePayments) load(tx *db.Tx, known *liveKnown, requests []LiveRequest) (*liveBatch, error) {
	b := &liveBatch{LivePayments: p, liveKnown: known, tx: tx, counts: make(map[common.Hash]*nonceCount)}
	b.books.tx, b.accounts.tx = tx, tx
	urls := make(map[string]bool)
	states, clients, credentials, days := make(map[string]bool), make(map[string]bool), make(map[string][]string), make(map[time.Time]bool)
	for _, r := range requests {
		if r.State != nil && b.sessions[r.State.StateID] == nil {
			states[r.State.StateID] = true
		}
		if r.Client != "" {
			clients[r.Client] = true
		}
		if c := r.Credential; c.Value != "" && b.accounts.owners[c] == (owner{}) && !slices.Contains(credentials[c.Kind], c.Value) {
			credentials[c.Kind] = append(credentials[c.Kind], c.Value)
		}
		if r.Params != nil {
			b.counts[r.Params.RecipientRandHash] = new(nonceCount)
		}
		if _, known := b.pins[r.URL]; r.URL != "" && !known {
			urls[r.URL] = true
			b.pins[r.URL] = common.Address{}
		}
		days[startOfDay(r.At)] = true
	}
	var statements []db.Statement
	if known.at.generation == 0 {
		statements = append(statements, readRequireAcknowledged(&b.complete), db.Ask(db.One[int64], func(last int64) error {
			b.last = last
			return nil
		}, selectLastPosition))
	}
	if len(states) > 0 {
		statements = append(statements, b.readSessions(slices.Collect(maps.Keys(states))))
	}
	if len(b.counts) > 0 {
		statements = append(statements, b.readCounts())
	}
	if len(urls) > 0 {
		statements = append(statements, b.readPins(slices.Collect(maps.Keys(urls))))
	}
	statements = append(statements, b.accounts.read(slices.Collect(maps.Keys(clients)), credentials, slices.Collect(maps.Keys(days)))...)
	for day := range days {
		statements = append(statements, b.books.read(b.sender, day)...)
	}
	return b, tx.Together(statements...)
}

func (b *liveBatch) readSessions(ids []string) db.Statement {
	type row struct {
		id string
		liveSession
	}
	return db.AskIn(b.tx, func(rows db.Scanner) (one row, err error) {
		var state sql.NullString
		err = rows.Scan(&one.id, &one.client, &one.sequence, &one.asked, &state)
		one.encoded = state.String
		return one, err
	}, func(one row) error {
		b.sessions[one.id] = &one.liveSession
		return nil
	}, selectSessionsIn, []any{b.chain.id, b.sender.Hex()}, ids)
}

// readCounts compares each count with the last reservation, as takeNonces does.
func (b *liveBatch) readCounts() db.Statement {
	var hashes []string
	for hash := range b.counts {
		hashes = append(hashes, hash.Hex())
	}
	type row struct {
		hash common.Hash
		nonceCount
	}
	return db.AskIn(b.tx, func(rows db.Scanner) (one row, err error) {
		var text string
		var used, last int64
		var at sql.NullInt64
		if err := rows.Scan(&text, &used, &at, &last); err != nil {
			return one, err
		}
		if one.hash, err = parseHash(text); err == nil && used != last {
			err = unevenError(one.hash, used, last)
		}
		one.nonceCount = nonceCount{before: uint32(used), used: uint32(used)}
		if at.Valid {
			one.retired = retired(one.hash, at.Int64)
		}
		return one, err
	}, func(one row) error {
		b.counts[one.hash] = &one.nonceCount
		return nil
	}, selectCountsIn, nil, hashes)
}

// add notes a payment that is to be recorded, and what is entered into the ledger for it.
func (b *liveBatch) add(r LiveRequest, p *LivePayment) {
	count := b.counts[p.RecipientRandHash]
	enter := func(first, last uint32, client string) {
		if first <= last {
			b.reservations = append(b.reservations, b.chain.reservationRow(b.sender, r.Params, r.TicketEV, pm.NonceRange{First: first, Count: last - first + 1}, r.At, client))
		}
	}
	end := p.Nonces.Last()
	enter(count.used+1, p.Nonces.First-1, "") // those of another signer
	enter(p.Nonces.First, end, p.Client)
	count.used = end
	b.last = p.Position
	b.sessions[p.Session.StateID] = &liveSession{p.Client, int64(p.Session.SequenceNumber), p.Asked, string(p.Encoded)}
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

func (b *liveBatch) write() {
	var counts, payments, sessions [][]any
	for hash, count := range b.counts {
		if count.used > count.before {
			counts = append(counts, []any{hash.Hex(), int64(count.used)})
		}
	}
	written, sender := make(map[string]bool), b.sender.Hex()
	for _, p := range slices.Backward(b.payments) {
		sequence, at := int64(p.Session.SequenceNumber), p.At.UnixMilli()
		payments = append(payments, []any{
			p.Position, b.chain.id, sender, p.Client, p.Session.StateID, sequence, p.Asked, sql.NullString{String: p.key, Valid: p.key != ""},
			p.Info, p.RecipientRandHash.Hex(), p.Nonces.First, p.Nonces.Count, p.Expiration.CreationRound, p.Expiration.CreationRoundBlockHash.Hex(),
			p.ManifestID, hex.EncodeToString(p.Capabilities), string(p.Encoded), string(p.Usage), at,
		})
		if !written[p.Session.StateID] {
			written[p.Session.StateID] = true
			sessions = append(sessions, []any{b.chain.id, sender, p.Session.StateID, p.Client, sequence, p.Asked, at, at})
		}
	}
	statements := b.advance(counts)
	statements = append(statements, b.tx.Into(intoReservations, b.reservations, "")...)
	statements = append(statements, b.tx.Into(intoLiveSessions, sessions, onLiveSession)...)
	statements = append(statements, b.tx.Into(intoLivePayments, payments, "")...)
	b.tx.Later(statements...)
	b.books.close()
	b.accounts.close()
}

// advance writes the counts of nonces, and checks that each was changed.
func (b *liveBatch) advance(counts [][]any) []db.Statement {
	statements, advanced := b.tx.Into(intoSessions, counts, onSession), int64(0)
	for i := range statements {
		statements[i] = statements[i].Then(func(rows int64) error {
			if advanced += rows; i == len(statements)-1 && advanced != int64(len(counts)) {
				return fmt.Errorf("%d sessions advanced instead of %d: %w", advanced, len(counts), ErrDamaged)
			}
			return nil
		})
	}
	return statements
}
