-- The sessions that were paid last are found among all that there ever were.
CREATE INDEX signer_sessions_paid ON signer_sessions (updated_at);
