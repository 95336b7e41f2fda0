-- The ledger: what was spent in a day, which requests were made, and which sessions are
-- over.
--
-- What a day came to is there twice, by recipient and in all. The two are compared
-- whenever they are read, so that a damaged page cannot make a budget larger; in the
-- same way a session's count is held against its last reservation.

ALTER TABLE sessions ADD COLUMN retired_at BIGINT;

CREATE TABLE spending (
		chain_id   TEXT   NOT NULL,
		sender     TEXT   NOT NULL,
		day        TEXT   NOT NULL, -- UTC, 2006-01-02
		recipient  TEXT   NOT NULL,
		tickets    BIGINT NOT NULL,
		ev         TEXT   NOT NULL, -- wei, an exact fraction a/b
		face_value TEXT   NOT NULL, -- wei, if every ticket wins
		PRIMARY KEY (chain_id, sender, day, recipient)
	);

CREATE TABLE spending_days (
		chain_id   TEXT   NOT NULL,
		sender     TEXT   NOT NULL,
		day        TEXT   NOT NULL,
		tickets    BIGINT NOT NULL,
		ev         TEXT   NOT NULL,
		face_value TEXT   NOT NULL,
		PRIMARY KEY (chain_id, sender, day)
	);

-- What was made for a request, written with its reservation.
CREATE TABLE requests (
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
	);
