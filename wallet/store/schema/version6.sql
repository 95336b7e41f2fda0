-- How many deliveries of a request's tickets were begun. What was sent before, other
-- processes may have sent too: nothing counted them.

ALTER TABLE requests ADD COLUMN deliveries BIGINT NOT NULL DEFAULT 0;

UPDATE requests SET deliveries = CASE state WHEN 'reserved' THEN 0 WHEN 'sent' THEN 2 ELSE 1 END,
		outcome = CASE state WHEN 'sent' THEN '' ELSE outcome END;
