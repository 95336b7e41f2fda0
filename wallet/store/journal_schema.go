package store

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

const (
	intentFields = `SELECT id, account, nonce, request_id, label, state, settled_by, refusal, created_at FROM intents`

	selectIntent        = intentFields + ` WHERE network = $1 AND id = $2`
	selectIntentByHash  = intentFields + ` WHERE network = $1 AND id = (SELECT intent FROM attempts WHERE hash = $2)`
	selectRequest       = intentFields + ` WHERE network = $1 AND account = $2 AND request_id = $3`
	selectIntents       = intentFields + ` WHERE network = $1 AND account = $2 ORDER BY nonce DESC, created_at DESC, id`
	selectUnsettled     = intentFields + ` WHERE network = $1 AND account = $2 AND state IN ('open', 'refused') ORDER BY nonce, created_at, id`
	selectRunsOfAccount = `SELECT id, label, request_id, run, unknown, state FROM intents WHERE network = $1 AND account = $2 ORDER BY nonce DESC, created_at DESC, id`
	selectRun           = `SELECT run, unknown, state, nonce FROM intents WHERE network = $1 AND id = $2`
	selectSettledNonce  = `SELECT COALESCE(MAX(nonce) + 1, 0) FROM intents WHERE network = $1 AND account = $2 AND state NOT IN ('open', 'refused')`
	insertIntent        = `INSERT INTO intents (id, network, account, nonce, request_id, label, run, unknown, state, refusal, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, '', $9)`
	updateIntentRun     = `UPDATE intents SET run = $1, unknown = 1 WHERE id = $2`
	updateIntentOwner   = `UPDATE intents SET run = $1 WHERE id = $2`
	updateIntentKnown   = `UPDATE intents SET unknown = $1 WHERE id = $2`
	updateIntentState   = `UPDATE intents SET state = $1, settled_by = $2, refusal = $3 WHERE id = $4`
	updateIntentNonce   = `UPDATE intents SET nonce = $1, state = 'open', settled_by = NULL, refusal = '' WHERE id = $2`
	insertAttempt       = `INSERT INTO attempts (hash, intent, position, kind, raw, signed_at)
		VALUES ($1, $2, (SELECT COALESCE(MAX(position), 0) + 1 FROM attempts WHERE intent = $2), $3, $4, $5)
		ON CONFLICT (hash) DO NOTHING`

	selectAttempts = `SELECT kind, raw, signed_at FROM attempts WHERE intent = $1 ORDER BY position`
)
