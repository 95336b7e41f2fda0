-- What a session's recipient was paid beyond what was asked for, which the session's next
-- payment uses.
CREATE TABLE credits (
		chain_id      TEXT   NOT NULL,
		sender        TEXT   NOT NULL,
		recipient_url TEXT   NOT NULL,
		session_id    TEXT   NOT NULL, -- of the auth token that was paid under
		credit        TEXT   NOT NULL, -- wei
		credited_at   BIGINT NOT NULL,
		PRIMARY KEY (chain_id, sender, recipient_url)
	);
