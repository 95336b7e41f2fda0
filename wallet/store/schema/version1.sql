-- The tables of a sender.
--
-- Nonces belong to a recipientRandHash alone, whoever the sender and whatever the
-- chain: that is what recipients tell replays by.

CREATE TABLE meta (
		name  TEXT PRIMARY KEY,
		value TEXT NOT NULL
	);

CREATE TABLE sessions (
		recipient_rand_hash TEXT   PRIMARY KEY,
		used_nonces         BIGINT NOT NULL CHECK (used_nonces BETWEEN 0 AND 4294967295)
	);

-- A row for each reservation, written with it: what was at most spent.
CREATE TABLE reservations (
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
	);

CREATE TABLE params (
		chain_id      TEXT   NOT NULL,
		sender        TEXT   NOT NULL,
		recipient_url TEXT   NOT NULL,
		document      TEXT   NOT NULL,
		saved_at      BIGINT NOT NULL,
		PRIMARY KEY (chain_id, sender, recipient_url)
	);
