-- Payments and sessions are found by what tells them apart. A database without statistics of
-- these tables took the chain and the sender for that, and read all of the sender's payments for
-- each new one. Few payments have a key, and only these are in its index.

CREATE TABLE signer_sessions_16 (
		chain_id   TEXT   NOT NULL,
		sender     TEXT   NOT NULL,
		state_id   TEXT   NOT NULL,
		client     TEXT   NOT NULL,
		sequence   BIGINT NOT NULL,
		asked      BIGINT NOT NULL, -- the sequence of the state that the last payment was asked with; -1 for none
		opened_at  BIGINT NOT NULL,
		updated_at BIGINT NOT NULL,
		PRIMARY KEY (state_id, chain_id, sender)
	);

INSERT INTO signer_sessions_16 SELECT chain_id, sender, state_id, client, sequence, asked, opened_at, updated_at FROM signer_sessions;

DROP TABLE signer_sessions;

ALTER TABLE signer_sessions_16 RENAME TO signer_sessions;

CREATE TABLE signer_payments_16 (
		position                  BIGINT PRIMARY KEY, -- in the order in which they were made
		chain_id                  TEXT   NOT NULL,
		sender                    TEXT   NOT NULL,
		client                    TEXT   NOT NULL,
		state_id                  TEXT   NOT NULL,
		sequence                  BIGINT NOT NULL,
		asked                     BIGINT NOT NULL,
		request_key               TEXT,            -- the client's own name for a request that began a session
		info                      TEXT   NOT NULL, -- the digest of the OrchestratorInfo
		recipient_rand_hash       TEXT   NOT NULL,
		first_nonce               BIGINT NOT NULL,
		nonces                    BIGINT NOT NULL,
		creation_round            BIGINT NOT NULL,
		creation_round_block_hash TEXT   NOT NULL,
		manifest_id               TEXT   NOT NULL,
		capabilities              TEXT   NOT NULL, -- hex
		state                     TEXT   NOT NULL, -- the session after it, as the client gets it
		usage                     TEXT   NOT NULL, -- the event about it
		made_at                   BIGINT NOT NULL
	);

INSERT INTO signer_payments_16 SELECT position, chain_id, sender, client, state_id, sequence, asked, request_key, info, recipient_rand_hash,
		first_nonce, nonces, creation_round, creation_round_block_hash, manifest_id, capabilities, state, usage, made_at FROM signer_payments;

DROP TABLE signer_payments;

ALTER TABLE signer_payments_16 RENAME TO signer_payments;

CREATE UNIQUE INDEX signer_payments_of_session ON signer_payments (state_id, sequence, chain_id, sender);

CREATE UNIQUE INDEX signer_payments_of_key ON signer_payments (request_key, client, chain_id, sender) WHERE request_key IS NOT NULL;

CREATE INDEX signer_payments_of_client ON signer_payments (client, position);
