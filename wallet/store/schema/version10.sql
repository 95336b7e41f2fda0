-- Lets a request have several deliveries. What is the request's own stays in requests, and
-- each delivery's tickets get a row in request_parts: a request of before has one. An
-- earlier pmctl that still has the store open then fails at once with requests, and makes
-- no tickets for one that this version has begun.

-- Tickets that were reserved together, and what makes them again.
CREATE TABLE request_sets (
		chain_id   TEXT   NOT NULL,
		sender     TEXT   NOT NULL,
		request_id TEXT   NOT NULL,
		set_number BIGINT NOT NULL, -- from 1
		record     TEXT   NOT NULL,
		PRIMARY KEY (chain_id, sender, request_id, set_number)
	);

-- Those of a set that are delivered together.
CREATE TABLE request_parts (
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
	);

INSERT INTO request_sets SELECT chain_id, sender, request_id, 1, record FROM requests;

INSERT INTO request_parts SELECT chain_id, sender, request_id, 1, recipient_rand_hash, first_nonce, nonces, state, outcome, deliveries
		FROM requests;

ALTER TABLE requests DROP COLUMN recipient_rand_hash;
ALTER TABLE requests DROP COLUMN first_nonce;
ALTER TABLE requests DROP COLUMN nonces;
ALTER TABLE requests DROP COLUMN record;
ALTER TABLE requests DROP COLUMN state;
ALTER TABLE requests DROP COLUMN outcome;
ALTER TABLE requests DROP COLUMN deliveries;
