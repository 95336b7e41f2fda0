-- The processes of remote signers, so that each shows which others are alive.
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
