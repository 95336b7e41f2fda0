-- What a remote signer needs: its clients, their sessions, and a record of each payment,
-- from which its answer can be made again.

-- Whose tickets they are; empty for those of no client.
ALTER TABLE reservations ADD COLUMN client TEXT NOT NULL DEFAULT '';

CREATE TABLE signer_clients (
		id         TEXT   PRIMARY KEY,
		name       TEXT   NOT NULL UNIQUE,
		terms      TEXT   NOT NULL, -- JSON: what the client may do
		created_at BIGINT NOT NULL,
		expires_at BIGINT,
		revoked_at BIGINT
	);

-- What a client is recognized by.
CREATE TABLE signer_credentials (
		kind       TEXT   NOT NULL,
		value      TEXT   NOT NULL, -- of a secret, its hash
		client     TEXT   NOT NULL REFERENCES signer_clients,
		created_at BIGINT NOT NULL,
		PRIMARY KEY (kind, value)
	);

-- What was signed for a client on a day, and in all under an empty day.
CREATE TABLE signer_spending (
		client     TEXT   NOT NULL,
		day        TEXT   NOT NULL, -- UTC, 2006-01-02
		tickets    BIGINT NOT NULL,
		ev         TEXT   NOT NULL, -- wei, an exact fraction a/b
		face_value TEXT   NOT NULL, -- wei, if every ticket wins
		PRIMARY KEY (client, day)
	);

-- How far the sessions have come. The payment with the session's sequence has the rest.
CREATE TABLE signer_sessions (
		chain_id   TEXT   NOT NULL,
		sender     TEXT   NOT NULL,
		state_id   TEXT   NOT NULL,
		client     TEXT   NOT NULL,
		sequence   BIGINT NOT NULL,
		asked      BIGINT NOT NULL, -- the sequence of the state that the last payment was asked with; -1 for none
		opened_at  BIGINT NOT NULL,
		updated_at BIGINT NOT NULL,
		PRIMARY KEY (chain_id, sender, state_id)
	);

-- A row is written with its reservation, before anything is signed.
CREATE TABLE signer_payments (
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
		made_at                   BIGINT NOT NULL,
		UNIQUE (chain_id, sender, state_id, sequence),
		UNIQUE (chain_id, sender, client, request_key)
	);

CREATE INDEX signer_payments_of_client ON signer_payments (client, position);

-- How far those that are sent the events have got them.
CREATE TABLE signer_acknowledged (
		consumer TEXT   NOT NULL,
		client   TEXT   NOT NULL,
		position BIGINT NOT NULL,
		at       BIGINT NOT NULL,
		PRIMARY KEY (consumer, client)
	);
