-- Where each network's contracts are. A chain may have several networks: each has a
-- controller of its own.

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
