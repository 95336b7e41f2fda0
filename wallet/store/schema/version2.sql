-- The tables of a recipient.

-- Tickets that won. Until they are redeemed recipient_rand is a secret.
CREATE TABLE winners (
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
	);

CREATE INDEX winners_waiting ON winners (chain_id, sender, position) WHERE settled_at IS NULL;
