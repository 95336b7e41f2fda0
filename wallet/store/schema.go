package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// schema is the store's tables, by the schema version that brought them. A store is
// made, and an older one brought up to date, by running what it does not have yet;
// so what a version has brought never changes.
//
// Hashes, addresses and signatures are hex with 0x, addresses checksummed; integers
// that may exceed 63 bits are decimal text; times are milliseconds since 1970 in UTC.
var schema = [][]string{version1, version2, version3, version4, version5, version6, version7, version8, version9, version10}

// schemaVersion is what this package reads and writes.
func schemaVersion() int { return len(schema) }

// version1 is the tables of a sender.
//
// Nonces belong to a recipientRandHash alone, whoever the sender and whatever the
// chain: that is what recipients tell replays by.
var version1 = []string{
	`CREATE TABLE meta (
		name  TEXT PRIMARY KEY,
		value TEXT NOT NULL
	)`,
	`CREATE TABLE sessions (
		recipient_rand_hash TEXT   PRIMARY KEY,
		used_nonces         BIGINT NOT NULL CHECK (used_nonces BETWEEN 0 AND 4294967295)
	)`,
	// A row for each reservation, written with it: what was at most spent.
	`CREATE TABLE reservations (
		recipient_rand_hash TEXT   NOT NULL REFERENCES sessions,
		first_nonce         BIGINT NOT NULL,
		nonces              BIGINT NOT NULL,
		chain_id            TEXT   NOT NULL,
		sender              TEXT   NOT NULL,
		recipient           TEXT   NOT NULL,
		face_value          TEXT   NOT NULL, -- wei
		ticket_ev           TEXT   NOT NULL, -- wei, an exact fraction a/b
		expiration_block    TEXT   NOT NULL, -- L1
		reserved_at         BIGINT NOT NULL,
		PRIMARY KEY (recipient_rand_hash, first_nonce)
	)`,
	`CREATE TABLE params (
		chain_id      TEXT   NOT NULL,
		sender        TEXT   NOT NULL,
		recipient_url TEXT   NOT NULL,
		document      TEXT   NOT NULL,
		saved_at      BIGINT NOT NULL,
		PRIMARY KEY (chain_id, sender, recipient_url)
	)`,
}

// version2 is the tables of a recipient.
var version2 = []string{
	// Tickets that won. Until they are redeemed recipient_rand is a secret.
	`CREATE TABLE winners (
		chain_id                  TEXT   NOT NULL,
		sender                    TEXT   NOT NULL,
		recipient_rand_hash       TEXT   NOT NULL,
		sender_nonce              BIGINT NOT NULL,
		position                  BIGINT NOT NULL, -- in the chain's queue
		recipient                 TEXT   NOT NULL,
		face_value                TEXT   NOT NULL, -- wei
		win_prob                  TEXT   NOT NULL,
		creation_round            BIGINT NOT NULL,
		creation_round_block_hash TEXT   NOT NULL,
		expiration_block          TEXT   NOT NULL, -- L1
		price_per_pixel           TEXT   NOT NULL, -- wei, an exact fraction a/b
		sig                       TEXT   NOT NULL,
		recipient_rand            TEXT   NOT NULL,
		stored_at                 BIGINT NOT NULL,
		settled_at                BIGINT,
		settled_by                TEXT, -- the transaction, where it is known
		PRIMARY KEY (chain_id, sender, recipient_rand_hash, sender_nonce),
		UNIQUE (chain_id, position)
	)`,
	`CREATE INDEX winners_waiting ON winners (chain_id, sender, position) WHERE settled_at IS NULL`,
}

const (
	insertMeta = `INSERT INTO meta (name, value) VALUES ($1, $2)`
	updateMeta = `UPDATE meta SET value = $1 WHERE name = $2`
	selectMeta = `SELECT value FROM meta WHERE name = $1`

	selectAllMeta = `SELECT name, value FROM meta`

	insertSession = `INSERT INTO sessions (recipient_rand_hash, used_nonces) VALUES ($1, 0) ON CONFLICT DO NOTHING`
	// advanceUsed names the old count too, so that a wrong isolation level shows
	// as no row changed instead of as a nonce used twice.
	advanceUsed = `UPDATE sessions SET used_nonces = $1 WHERE recipient_rand_hash = $2 AND used_nonces = $3`

	insertReservation = `INSERT INTO reservations
		(recipient_rand_hash, first_nonce, nonces, chain_id, sender, recipient, face_value, ticket_ev, expiration_block, reserved_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

	upsertParams = `INSERT INTO params (chain_id, sender, recipient_url, document, saved_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (chain_id, sender, recipient_url) DO UPDATE SET document = excluded.document, saved_at = excluded.saved_at`
	selectParams = `SELECT document FROM params WHERE chain_id = $1 AND sender = $2 AND recipient_url = $3`
	deleteParams = `DELETE FROM params WHERE chain_id = $1 AND sender = $2 AND recipient_url = $3`

	lastPosition  = `(SELECT COALESCE(MAX(position), 0) FROM winners WHERE chain_id = $1)`
	winnersKey    = ` WHERE chain_id = $1 AND sender = $2 AND recipient_rand_hash = $3 AND sender_nonce = $4`
	winnersWait   = ` WHERE chain_id = $1 AND settled_at IS NULL AND creation_round >= $2`
	winnersOfOne  = winnersWait + ` AND sender = $3`
	winnersFields = `sender, recipient_rand_hash, sender_nonce, recipient, face_value, win_prob, creation_round,
		creation_round_block_hash, expiration_block, price_per_pixel, sig, recipient_rand, settled_at, settled_by`

	insertWinner = `INSERT INTO winners (chain_id, sender, recipient_rand_hash, sender_nonce, recipient, face_value, win_prob,
			creation_round, creation_round_block_hash, expiration_block, price_per_pixel, sig, recipient_rand, stored_at, position)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, ` + lastPosition + ` + 1)
		ON CONFLICT (chain_id, sender, recipient_rand_hash, sender_nonce) DO NOTHING`
	deleteWinner  = `DELETE FROM winners` + winnersKey
	requeueWinner = `UPDATE winners SET position = ` + lastPosition + ` + 1` + winnersKey
	// settleWinner keeps what settled the ticket first.
	settleWinner = `UPDATE winners SET settled_at = COALESCE(settled_at, $5), settled_by = COALESCE(settled_by, $6)` + winnersKey

	selectWinners        = `SELECT ` + winnersFields + ` FROM winners WHERE chain_id = $1 ORDER BY position`
	selectEarliestWinner = `SELECT ` + winnersFields + ` FROM winners` + winnersOfOne + ` ORDER BY position LIMIT 1`
	countWinners         = `SELECT COUNT(*) FROM winners` + winnersOfOne
	selectWinnerSenders  = `SELECT sender FROM winners` + winnersWait + ` GROUP BY sender ORDER BY MIN(position)`
)

// Names in the meta table.
const (
	metaVersion = "schema_version"
	metaID      = "store_id"
	metaSpent   = "spent_day" // a day whose budget counts as spent, and the code of why

	metaHome       = "home"       // where the store lives
	metaGeneration = "generation" // counts the changes to it, and names who made the last
	metaRestored   = "restored"   // why it may lack records, until that is acknowledged
	metaMoved      = "moved_to"   // where it was migrated to, and is used now
)

// inspect returns the schema version and the id of a store; 0 and "" for an empty
// database. It fails for one of another program or of a version that is not known.
func (s *Store) inspect(ctx context.Context, tx *sql.Tx) (version int, id string, err error) {
	names, err := s.backend.tables(ctx, tx)
	if err != nil || len(names) == 0 {
		return 0, "", err
	}
	if !slices.Contains(names, "meta") {
		return 0, "", fmt.Errorf("%w: it is a database of another program", ErrNotStore)
	}
	text, err := meta(ctx, tx, metaVersion)
	if err != nil {
		return 0, "", err
	}
	version, err = strconv.Atoi(text)
	if err != nil || version < 1 {
		return 0, "", fmt.Errorf("%w: it has schema version %.20q", ErrDamaged, text)
	}
	if version > schemaVersion() {
		return 0, "", &SchemaError{Path: s.path, Found: version, Known: schemaVersion()}
	}
	id, err = meta(ctx, tx, metaID)
	return version, id, err
}

// upgrade makes a store of an empty database, or brings an older one up to date,
// and returns its id.
func (s *Store) upgrade(ctx context.Context, tx *sql.Tx) (id string, err error) {
	version, id, err := s.inspect(ctx, tx)
	if err != nil {
		return "", err
	}
	if version == 0 {
		if err := s.backend.create(ctx, tx); err != nil {
			return "", err
		}
	}
	for _, statement := range slices.Concat(schema[version:]...) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return "", err
		}
	}
	if 0 < version && version < spendingVersion {
		if err := bookReserved(ctx, tx, time.Now()); err != nil {
			return "", err
		}
	}
	newest := strconv.Itoa(schemaVersion())
	if version > 0 {
		_, err = tx.ExecContext(ctx, updateMeta, newest, metaVersion)
		return id, err
	}
	id = newID()
	for name, value := range map[string]string{metaVersion: newest, metaID: id} {
		if _, err := tx.ExecContext(ctx, insertMeta, name, value); err != nil {
			return "", err
		}
	}
	return id, nil
}

func meta(ctx context.Context, tx *sql.Tx, name string) (value string, err error) {
	err = scanRow(tx.QueryRowContext(ctx, selectMeta, name), &value)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: it has no %s", errNoMeta, name)
	}
	return value, err
}

// allMeta is all that a store says of itself.
func allMeta(ctx context.Context, tx *sql.Tx) (map[string]string, error) {
	facts := make(map[string]string)
	err := eachRow(ctx, tx, func(rows *sql.Rows) error {
		var name, value string
		err := rows.Scan(&name, &value)
		facts[name] = value
		return err
	}, selectAllMeta)
	if err == nil && facts[metaID] == "" {
		err = fmt.Errorf("%w: it has no %s", errNoMeta, metaID)
	}
	return facts, err
}

// errNoMeta is returned for what a store does not say of itself. Each store says what
// version and id it has.
var errNoMeta = fmt.Errorf("%w: the meta table is incomplete", ErrDamaged)

func newID() string { return rand.Text() }
