-- One row for each stretch of a run that was verified: whether a replay of its log gave the same.
CREATE TABLE IF NOT EXISTS receipts (
    flow String,
    run String,
    name String,                                -- the deployment, or the store
    at DateTime64(9, 'UTC'),                    -- when it was verified, our clock's time
    since String,                               -- the checkpoint it began at; empty for the run's beginning
    until String,                               -- the checkpoint it ended at
    since_at DateTime64(9, 'UTC'),
    until_at DateTime64(9, 'UTC'),
    source LowCardinality(String),              -- where the log was read: --from-log, --from-kafka, --from-clickhouse
    positions String,                           -- JSON: of each partition from which offset to which
    code String,                                -- JSON: what ran, and what it was replayed with
    events UInt64,
    sha256 String,                              -- of the events' lines of JSON, by market, then seq
    state String,                               -- a hash of the states at the end
    candles UInt64,                             -- so many were made again from the stored trades, in SQL
    identical Bool,
    difference String                           -- JSON: what differs first; empty if nothing does
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, until, at);
