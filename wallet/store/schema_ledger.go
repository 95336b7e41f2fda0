package store

// version4 is the ledger: what was spent in a day, which requests were made, and which
// sessions are over.
//
// What a day came to is there twice, by recipient and in all. The two are compared
// whenever they are read, so that a damaged page cannot make a budget larger; in the
// same way a session's count is held against its last reservation.
var version4 = []string{
	`ALTER TABLE sessions ADD COLUMN retired_at BIGINT`,
	`CREATE TABLE spending (
		chain_id   TEXT   NOT NULL,
		sender     TEXT   NOT NULL,
		day        TEXT   NOT NULL, -- UTC, 2006-01-02
		recipient  TEXT   NOT NULL,
		tickets    BIGINT NOT NULL,
		ev         TEXT   NOT NULL, -- wei, an exact fraction a/b
		face_value TEXT   NOT NULL, -- wei, if every ticket wins
		PRIMARY KEY (chain_id, sender, day, recipient)
	)`,
	`CREATE TABLE spending_days (
		chain_id   TEXT   NOT NULL,
		sender     TEXT   NOT NULL,
		day        TEXT   NOT NULL,
		tickets    BIGINT NOT NULL,
		ev         TEXT   NOT NULL,
		face_value TEXT   NOT NULL,
		PRIMARY KEY (chain_id, sender, day)
	)`,
	// What was made for a request, written with its reservation.
	`CREATE TABLE requests (
		chain_id            TEXT   NOT NULL,
		sender              TEXT   NOT NULL,
		request_id          TEXT   NOT NULL,
		digest              TEXT   NOT NULL, -- of what was asked for
		recipient_rand_hash TEXT   NOT NULL,
		first_nonce         BIGINT NOT NULL,
		nonces              BIGINT NOT NULL,
		record              TEXT   NOT NULL, -- what makes the same again
		state               TEXT   NOT NULL,
		outcome             TEXT   NOT NULL,
		made_at             BIGINT NOT NULL,
		PRIMARY KEY (chain_id, sender, request_id)
	)`,
}

// spendingVersion is the schema version that brought the spending.
const spendingVersion = 4

const (
	selectSession = `SELECT used_nonces, retired_at FROM sessions WHERE recipient_rand_hash = $1`
	selectLast    = `SELECT first_nonce + nonces - 1 FROM reservations WHERE recipient_rand_hash = $1 ORDER BY first_nonce DESC LIMIT 1`

	upsertMeta      = `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
	retireSessions  = `UPDATE sessions SET retired_at = $1 WHERE retired_at IS NULL`
	deleteAllParams = `DELETE FROM params`

	selectReservedSince = `SELECT chain_id, sender, recipient, nonces, ticket_ev, face_value FROM reservations WHERE reserved_at >= $1`

	selectSpending = `SELECT recipient, tickets, ev, face_value FROM spending WHERE chain_id = $1 AND sender = $2 AND day = $3`
	selectDay      = `SELECT '', tickets, ev, face_value FROM spending_days WHERE chain_id = $1 AND sender = $2 AND day = $3`
	upsertSpending = `INSERT INTO spending (chain_id, sender, day, recipient, tickets, ev, face_value) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (chain_id, sender, day, recipient) DO UPDATE
		SET tickets = excluded.tickets, ev = excluded.ev, face_value = excluded.face_value`
	upsertDay = `INSERT INTO spending_days (chain_id, sender, day, tickets, ev, face_value) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (chain_id, sender, day) DO UPDATE
		SET tickets = excluded.tickets, ev = excluded.ev, face_value = excluded.face_value`

	requestKey = ` WHERE chain_id = $1 AND sender = $2 AND request_id = $3`
)
