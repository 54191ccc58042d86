-- Trades that were fetched afterwards by REST: no tape ever held them. Their place is the partition
-- `backfill`, and an offset made from their id, so that fetching them twice gives the same rows.

ALTER TABLE trades ADD COLUMN IF NOT EXISTS `backfilled` Bool DEFAULT false;

-- How far backfills have come: from `start` to right in front of `reached` is done, but for what
-- stands in front of `begin`, which the exchange did not keep. The next one goes on behind `last_id`.

CREATE TABLE IF NOT EXISTS backfills (
    `market` String,
    `start` DateTime64(9, 'UTC'),
    `begin` DateTime64(9, 'UTC'),
    `reached` DateTime64(9, 'UTC'),
    `last_id` String,
    `last_ts` DateTime64(9, 'UTC')
)
ENGINE = ReplacingMergeTree(reached)
ORDER BY (market, start);
