-- What the pmctl of schema version 1 ran to make a store, and a user's first payment.

CREATE TABLE meta (
		name  TEXT PRIMARY KEY,
		value TEXT NOT NULL
	);

CREATE TABLE sessions (
		recipient_rand_hash TEXT   PRIMARY KEY,
		used_nonces         BIGINT NOT NULL CHECK (used_nonces BETWEEN 0 AND 4294967295)
	);

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

INSERT INTO meta (name, value) VALUES ('schema_version', '1'), ('store_id', 'KEPT');
INSERT INTO sessions VALUES ('0x01ff000000000000000000000000000000000000000000000000000000000000', 7);
INSERT INTO reservations VALUES ('0x01ff000000000000000000000000000000000000000000000000000000000000', 1, 7, '1337',
	'0x0100000000000000000000000000000000000000', '0xaA00000000000000000000000000000000000000',
	'4000000000000', '1000000000000', '140', 1700000000000);
INSERT INTO params VALUES ('1337', '0x0100000000000000000000000000000000000000', 'https://recipient:8935',
	'{"kind":"pmctl.params"}', 1700000000000);
