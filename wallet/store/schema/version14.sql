-- What operators of a remote signer are notified of. Under the same name nothing is notified twice.
CREATE TABLE signer_events (
		position  BIGINT PRIMARY KEY, -- in the order in which they were raised
		name      TEXT   NOT NULL UNIQUE,
		event     TEXT   NOT NULL,    -- JSON
		raised_at BIGINT NOT NULL
	);
