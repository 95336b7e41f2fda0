-- What tells an older copy of a store from the store.

-- The ids that the store had before it was retired, or took another's place.
CREATE TABLE former_ids (
		store_id TEXT   PRIMARY KEY,
		ended_at BIGINT NOT NULL
	);

-- The generation of the last change of each process, once another has changed the
-- store after it.
CREATE TABLE writers (
		writer     TEXT   PRIMARY KEY,
		generation BIGINT NOT NULL
	);
