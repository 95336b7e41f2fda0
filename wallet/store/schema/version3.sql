-- The journal of accounts' transactions.

CREATE TABLE intents (
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
	);

CREATE TABLE attempts (
		hash      TEXT   PRIMARY KEY,
		intent    TEXT   NOT NULL REFERENCES intents ON DELETE CASCADE,
		kind      TEXT   NOT NULL,
		raw       TEXT   NOT NULL, -- signed
		signed_at BIGINT NOT NULL
	);

CREATE INDEX attempts_of_intent ON attempts (intent, signed_at);
