-- Lets intents share a nonce: one that a node refused keeps its own, which another one may
-- use. Nothing of the journal is ever removed. SQLite drops a constraint only with its table.

ALTER TABLE attempts RENAME TO attempts_of_version3;
ALTER TABLE intents RENAME TO intents_of_version3;

CREATE TABLE intents (
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
	);

INSERT INTO intents (id, network, account, nonce, request_id, label, run, unknown, state, settled_by, refusal, created_at)
		SELECT id, network, account, nonce, request_id, label, run, unknown, state, settled_by, '', created_at FROM intents_of_version3;

CREATE TABLE attempts (
		hash      TEXT   PRIMARY KEY,
		intent    TEXT   NOT NULL REFERENCES intents,
		position  BIGINT NOT NULL, -- among the intent's own
		kind      TEXT   NOT NULL,
		raw       TEXT   NOT NULL, -- signed
		signed_at BIGINT NOT NULL,
		UNIQUE (intent, position)
	);

INSERT INTO attempts (hash, intent, position, kind, raw, signed_at)
		SELECT hash, intent, ROW_NUMBER() OVER (PARTITION BY intent ORDER BY signed_at, hash), kind, raw, signed_at FROM attempts_of_version3;

DROP TABLE attempts_of_version3;
DROP TABLE intents_of_version3;

CREATE INDEX intents_of_account ON intents (network, account, nonce);
