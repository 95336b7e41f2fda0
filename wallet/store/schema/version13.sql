-- When a credential that was replaced stops being accepted.
ALTER TABLE signer_credentials ADD COLUMN expires_at BIGINT;
