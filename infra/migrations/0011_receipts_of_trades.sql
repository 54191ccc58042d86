-- How many raw trades of a stretch history keeps as the log has them; and what could not be compared, and why.

ALTER TABLE receipts ADD COLUMN IF NOT EXISTS `trades` UInt64 DEFAULT 0 AFTER `state`;
ALTER TABLE receipts ADD COLUMN IF NOT EXISTS `unseen` String DEFAULT '';
