-- The tables of a new store: what all versions together make of an empty database. A test
-- compares the two.

CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
);

-- Nonces belong to a recipientRandHash alone, whatever the sender and the chain: recipients
-- recognize replays by it.
CREATE TABLE sessions (
	recipient_rand_hash TEXT   PRIMARY KEY,
	used_nonces         BIGINT NOT NULL CHECK (used_nonces BETWEEN 0 AND 4294967295),
	retired_at          BIGINT
);

-- A row for each reservation, written with it: what was spent at most.
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
	client              TEXT   NOT NULL DEFAULT '', -- of a remote signer; '' for none -- of a remote signer; '' for the account's own
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

-- A recipient's winning tickets. recipient_rand is a secret until they are redeemed.
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
	settled_by                TEXT, -- the transaction, if it is known
	PRIMARY KEY (chain_id, sender, recipient_rand_hash, sender_nonce),
	UNIQUE (chain_id, position)
);

CREATE INDEX winners_waiting ON winners (chain_id, sender, position) WHERE settled_at IS NULL;

-- What was spent in a day, by recipient and in all. The two are compared whenever they are read,
-- so that a damaged page cannot raise a budget; likewise a session's count and its last reservation.
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

-- Requests with an ID. Each set has tickets that were reserved together and the recipe that makes
-- them again; each part has those that are delivered together.
CREATE TABLE requests (
	chain_id            TEXT   NOT NULL,
	sender              TEXT   NOT NULL,
	request_id          TEXT   NOT NULL,
	digest              TEXT   NOT NULL, -- of what was asked for
	made_at             BIGINT NOT NULL,
	PRIMARY KEY (chain_id, sender, request_id)
);

-- The pin of a URL: the address that is paid there.
CREATE TABLE recipients (
	chain_id      TEXT   NOT NULL,
	sender        TEXT   NOT NULL,
	recipient_url TEXT   NOT NULL,
	recipient     TEXT   NOT NULL,
	saved_at      BIGINT NOT NULL,
	PRIMARY KEY (chain_id, sender, recipient_url)
);

-- The pinned contracts of a network. A chain may have several networks, each with its controller.
CREATE TABLE contracts (
	chain_id         TEXT   NOT NULL,
	controller       TEXT   NOT NULL,
	ticket_broker    TEXT   NOT NULL,
	rounds_manager   TEXT   NOT NULL,
	bonding_manager  TEXT   NOT NULL,
	service_registry TEXT   NOT NULL,
	pinned_at        BIGINT NOT NULL,
	PRIMARY KEY (chain_id, controller)
);

-- The journal of accounts' transactions. A refused intent keeps its nonce, which another may use.
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

CREATE TABLE attempts (
	hash      TEXT   PRIMARY KEY,
	intent    TEXT   NOT NULL REFERENCES intents,
	position  BIGINT NOT NULL, -- among the intent's own
	kind      TEXT   NOT NULL,
	raw       TEXT   NOT NULL, -- signed
	signed_at BIGINT NOT NULL,
	UNIQUE (intent, position)
);

CREATE INDEX intents_of_account ON intents (network, account, nonce);

-- What tells an older copy from the store: the IDs that it had before it was retired or took
-- another's place, and the generation of each process's last change after which another process
-- has changed the store.
CREATE TABLE former_ids (
	store_id TEXT   PRIMARY KEY,
	ended_at BIGINT NOT NULL
);

CREATE TABLE writers (
	writer     TEXT   PRIMARY KEY,
	generation BIGINT NOT NULL
);

CREATE TABLE request_sets (
	chain_id   TEXT   NOT NULL,
	sender     TEXT   NOT NULL,
	request_id TEXT   NOT NULL,
	set_number BIGINT NOT NULL, -- from 1
	record     TEXT   NOT NULL,
	PRIMARY KEY (chain_id, sender, request_id, set_number)
);

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

-- The clients of a remote signer, and what each is recognized by.
CREATE TABLE signer_clients (
	id         TEXT   PRIMARY KEY,
	name       TEXT   NOT NULL UNIQUE,
	terms      TEXT   NOT NULL, -- JSON: what the client may do
	created_at BIGINT NOT NULL,
	expires_at BIGINT,
	revoked_at BIGINT
);

CREATE TABLE signer_credentials (
	kind       TEXT   NOT NULL,
	value      TEXT   NOT NULL, -- of a secret, its hash
	client     TEXT   NOT NULL REFERENCES signer_clients,
	created_at BIGINT NOT NULL,
	expires_at BIGINT, -- of a credential that was replaced
	PRIMARY KEY (kind, value)
);

-- What was signed for a client in a day, and in all under an empty day.
CREATE TABLE signer_spending (
	client     TEXT   NOT NULL,
	day        TEXT   NOT NULL, -- UTC, 2006-01-02
	tickets    BIGINT NOT NULL,
	ev         TEXT   NOT NULL, -- wei, an exact fraction a/b
	face_value TEXT   NOT NULL, -- wei, if every ticket wins
	PRIMARY KEY (client, day)
);

-- How far each consumer of the usage events has received them.
CREATE TABLE signer_acknowledged (
	consumer TEXT   NOT NULL,
	client   TEXT   NOT NULL,
	position BIGINT NOT NULL,
	at       BIGINT NOT NULL,
	PRIMARY KEY (consumer, client)
);

-- What a session's recipient was paid beyond the fees; the session's next payment uses it.
CREATE TABLE credits (
	chain_id      TEXT   NOT NULL,
	sender        TEXT   NOT NULL,
	recipient_url TEXT   NOT NULL,
	session_id    TEXT   NOT NULL, -- of the auth token that was paid under
	credit        TEXT   NOT NULL, -- wei
	credited_at   BIGINT NOT NULL,
	PRIMARY KEY (chain_id, sender, recipient_url)
);

-- Events for the operators of a remote signer, each name once.
CREATE TABLE signer_events (
	position  BIGINT PRIMARY KEY, -- in the order in which they were raised
	name      TEXT   NOT NULL UNIQUE,
	event     TEXT   NOT NULL,    -- JSON
	raised_at BIGINT NOT NULL
);

-- The processes of remote signers.
CREATE TABLE signer_replicas (
	id         TEXT   PRIMARY KEY,
	chain_id   TEXT   NOT NULL,
	sender     TEXT   NOT NULL,
	host       TEXT   NOT NULL,
	version    TEXT   NOT NULL, -- of pmctl
	started_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL, -- by its own clock
	stopped_at BIGINT           -- of one that was stopped, and not killed
);

-- How far each session has come. The payment with its sequence has the rest.
CREATE TABLE signer_sessions (
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

CREATE INDEX signer_sessions_paid ON signer_sessions (updated_at);

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
	made_at                   BIGINT NOT NULL
);

CREATE UNIQUE INDEX signer_payments_of_session ON signer_payments (state_id, sequence, chain_id, sender);

CREATE UNIQUE INDEX signer_payments_of_key ON signer_payments (request_key, client, chain_id, sender) WHERE request_key IS NOT NULL;

CREATE INDEX signer_payments_of_client ON signer_payments (client, position);
