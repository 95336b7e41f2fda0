package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// schemaVersion is what this package reads and writes.
const schemaVersion = 1

// schema is the tables of a new store. Hashes and addresses are hex with 0x,
// addresses checksummed; integers that may exceed 63 bits are decimal text; times
// are milliseconds since 1970 in UTC.
//
// Nonces belong to a recipientRandHash alone, whoever the sender and whatever the
// chain: that is what recipients tell replays by.
var schema = []string{
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

const (
	insertMeta = `INSERT INTO meta (name, value) VALUES ($1, $2)`
	selectMeta = `SELECT value FROM meta WHERE name = $1`

	insertSession = `INSERT INTO sessions (recipient_rand_hash, used_nonces) VALUES ($1, 0) ON CONFLICT DO NOTHING`
	selectUsed    = `SELECT used_nonces FROM sessions WHERE recipient_rand_hash = $1`
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
)

// Names in the meta table.
const (
	metaVersion = "schema_version"
	metaID      = "store_id"
)

// prepare makes the tables of an empty database, or checks that an existing one is
// a store of a version that is known, and returns the store's id.
func prepare(ctx context.Context, tx *sql.Tx, path string) (id string, err error) {
	names, err := tables(ctx, tx)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return create(ctx, tx)
	}
	if !slices.Contains(names, "meta") {
		return "", fmt.Errorf("%w: %s is a database of another program", ErrNotStore, path)
	}
	text, err := meta(ctx, tx, metaVersion)
	if err != nil {
		return "", err
	}
	version, err := strconv.Atoi(text)
	if err != nil || version < 1 {
		return "", fmt.Errorf("%w: %s has schema version %.20q", ErrNotStore, path, text)
	}
	if version > schemaVersion {
		return "", &SchemaError{Path: path, Found: version, Known: schemaVersion}
	}
	return meta(ctx, tx, metaID)
}

func create(ctx context.Context, tx *sql.Tx) (id string, err error) {
	for _, statement := range schema {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return "", err
		}
	}
	id = rand.Text()
	for name, value := range map[string]string{metaVersion: strconv.Itoa(schemaVersion), metaID: id} {
		if _, err := tx.ExecContext(ctx, insertMeta, name, value); err != nil {
			return "", err
		}
	}
	return id, nil
}

func meta(ctx context.Context, tx *sql.Tx, name string) (value string, err error) {
	err = tx.QueryRowContext(ctx, selectMeta, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: it has no %s", ErrNotStore, name)
	}
	return value, err
}
