package store

// schema is the store's tables, by the schema version that brought them. A store is
// made, and an older one brought up to date, by running what it does not have yet;
// so what a version has brought never changes. It is plain enough for SQLite and PostgreSQL.
//
// Hashes, addresses and signatures are hex with 0x, addresses checksummed; integers
// that may exceed 63 bits are decimal text; times are milliseconds since 1970 in UTC.
var schema = [][]string{version1, version2, version3, version4, version5, version6, version7, version8, version9, version10}

// schemaVersion is what this package reads and writes.
func schemaVersion() int { return len(schema) }

const (
	// spendingVersion is the schema version that brought the spending, and writersVersion
	// what tells an older copy.
	spendingVersion = 4
	writersVersion  = 9
)

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

// version5 adds who is paid at a recipient's URL.
var version5 = []string{
	`CREATE TABLE recipients (
		chain_id      TEXT   NOT NULL,
		sender        TEXT   NOT NULL,
		recipient_url TEXT   NOT NULL,
		recipient     TEXT   NOT NULL,
		saved_at      BIGINT NOT NULL,
		PRIMARY KEY (chain_id, sender, recipient_url)
	)`,
}

// version6 adds how many deliveries of a request's tickets were begun. What was sent
// before, other processes may have sent too: nothing counted them.
var version6 = []string{
	`ALTER TABLE requests ADD COLUMN deliveries BIGINT NOT NULL DEFAULT 0`,
	`UPDATE requests SET deliveries = CASE state WHEN 'reserved' THEN 0 WHEN 'sent' THEN 2 ELSE 1 END,
		outcome = CASE state WHEN 'sent' THEN '' ELSE outcome END`,
}

// version7 adds where each network's contracts are. A chain may have several networks:
// each has a controller of its own.
var version7 = []string{
	`CREATE TABLE contracts (
		chain_id         TEXT   NOT NULL,
		controller       TEXT   NOT NULL,
		ticket_broker    TEXT   NOT NULL,
		rounds_manager   TEXT   NOT NULL,
		bonding_manager  TEXT   NOT NULL,
		service_registry TEXT   NOT NULL,
		pinned_at        BIGINT NOT NULL,
		PRIMARY KEY (chain_id, controller)
	)`,
}

// version8 lets intents share a nonce: one that a node refused keeps its own, which
// another one may use. Nothing of the journal is ever removed. SQLite drops a constraint
// only with its table.
var version8 = []string{
	`ALTER TABLE attempts RENAME TO attempts_of_version3`,
	`ALTER TABLE intents RENAME TO intents_of_version3`,
	`CREATE TABLE intents (
		id         TEXT   PRIMARY KEY,
		network    TEXT   NOT NULL,
		account    TEXT   NOT NULL,
		nonce      BIGINT NOT NULL,
		request_id TEXT, -- the user's own name for it
		label      TEXT   NOT NULL, -- a code with arguments; a sentence in older rows
		run        TEXT   NOT NULL, -- the run that works on it, or was the last to
		unknown    BIGINT NOT NULL, -- 1 until a run has reported how it went
		state      TEXT   NOT NULL,
		settled_by TEXT,
		refusal    TEXT   NOT NULL, -- what a node said that refused it, for people
		created_at BIGINT NOT NULL,
		UNIQUE (network, account, request_id)
	)`,
	`INSERT INTO intents (id, network, account, nonce, request_id, label, run, unknown, state, settled_by, refusal, created_at)
		SELECT id, network, account, nonce, request_id, label, run, unknown, state, settled_by, '', created_at FROM intents_of_version3`,
	`CREATE TABLE attempts (
		hash      TEXT   PRIMARY KEY,
		intent    TEXT   NOT NULL REFERENCES intents,
		position  BIGINT NOT NULL, -- among the intent's own
		kind      TEXT   NOT NULL,
		raw       TEXT   NOT NULL, -- signed
		signed_at BIGINT NOT NULL,
		UNIQUE (intent, position)
	)`,
	`INSERT INTO attempts (hash, intent, position, kind, raw, signed_at)
		SELECT hash, intent, ROW_NUMBER() OVER (PARTITION BY intent ORDER BY signed_at, hash), kind, raw, signed_at FROM attempts_of_version3`,
	`DROP TABLE attempts_of_version3`,
	`DROP TABLE intents_of_version3`,
	`CREATE INDEX intents_of_account ON intents (network, account, nonce)`,
}

// version9 tells an older copy of a store from the store.
var version9 = []string{
	// The ids that the store had before it was retired, or took another's place.
	`CREATE TABLE former_ids (
		store_id TEXT   PRIMARY KEY,
		ended_at BIGINT NOT NULL
	)`,
	// The generation of the last change of each process, once another has changed the
	// store after it.
	`CREATE TABLE writers (
		writer     TEXT   PRIMARY KEY,
		generation BIGINT NOT NULL
	)`,
}

// version10 lets a request have several deliveries. What is the request's own stays in
// requests, and each delivery's tickets get a row in request_parts: a request of before has
// one. An earlier pmctl that still has the store open then fails at once with requests,
// and makes no tickets for one that this version has begun.
var version10 = []string{
	// Tickets that were reserved together, and what makes them again.
	`CREATE TABLE request_sets (
		chain_id   TEXT   NOT NULL,
		sender     TEXT   NOT NULL,
		request_id TEXT   NOT NULL,
		set_number BIGINT NOT NULL, -- from 1
		record     TEXT   NOT NULL,
		PRIMARY KEY (chain_id, sender, request_id, set_number)
	)`,
	// Those of a set that are delivered together.
	`CREATE TABLE request_parts (
		chain_id            TEXT   NOT NULL,
		sender              TEXT   NOT NULL,
		request_id          TEXT   NOT NULL,
		set_number          BIGINT NOT NULL,
		recipient_rand_hash TEXT   NOT NULL,
		first_nonce         BIGINT NOT NULL,
		nonces              BIGINT NOT NULL,
		state               TEXT   NOT NULL,
		outcome             TEXT   NOT NULL,
		deliveries          BIGINT NOT NULL,
		PRIMARY KEY (chain_id, sender, request_id, set_number, first_nonce)
	)`,
	`INSERT INTO request_sets SELECT chain_id, sender, request_id, 1, record FROM requests`,
	`INSERT INTO request_parts SELECT chain_id, sender, request_id, 1, recipient_rand_hash, first_nonce, nonces, state, outcome, deliveries
		FROM requests`,
	`ALTER TABLE requests DROP COLUMN recipient_rand_hash`,
	`ALTER TABLE requests DROP COLUMN first_nonce`,
	`ALTER TABLE requests DROP COLUMN nonces`,
	`ALTER TABLE requests DROP COLUMN record`,
	`ALTER TABLE requests DROP COLUMN state`,
	`ALTER TABLE requests DROP COLUMN outcome`,
	`ALTER TABLE requests DROP COLUMN deliveries`,
}
