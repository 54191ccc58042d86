-- Every event has a table. Derived events are one row by their id (flow, run, market, seq);
-- outside events by their place in the log (market, partition, offset, row); gaps and rejects,
-- which are both, by either. The same row twice, after a crash, is one row.

CREATE TABLE IF NOT EXISTS lates (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `stamp` DateTime64(9, 'UTC'),
    `price` Float64,
    `size` Float64,
    `side` Int64,
    `id` String
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS repeated (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `stamp` DateTime64(9, 'UTC'),
    `price` Float64,
    `size` Float64,
    `side` Int64,
    `id` String
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS candles (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `kind` String,
    `start` DateTime64(9, 'UTC'),
    `end` DateTime64(9, 'UTC'),
    `open` Float64,
    `high` Float64,
    `low` Float64,
    `close` Float64,
    `volume` Float64,
    `vwap` Float64,
    `count` Int64,
    `buy_volume` Float64,
    `sell_volume` Float64,
    `buy_count` Int64,
    `sell_count` Int64,
    `quote_volume` Float64,
    `first_id` String,
    `last_id` String,
    `first_ts` DateTime64(9, 'UTC'),
    `last_ts` DateTime64(9, 'UTC'),
    `complete` Bool
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS averages (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `values` Map(String, Float64)
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS predictions (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `decision` Int64,
    `odds` Nullable(Float64),
    `expected` Nullable(Float64),
    `features` Map(String, Float64)
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS outcomes (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `decision` Int64,
    `side` String,
    `entry` Float64,
    `exit` Float64,
    `entry_ts` DateTime64(9, 'UTC'),
    `why` String,
    `net_return` Float64,
    `label` Bool,
    `odds` Nullable(Float64),
    `expected` Nullable(Float64),
    `metrics` Map(String, Float64)
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS signals (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `action` String,
    `amount` Float64,
    `unit` String,
    `reason` String
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS refused (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `action` String,
    `why` String
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS orders (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `order` Int64,
    `position` Int64,
    `action` String,
    `side` String,
    `amount` Decimal(76, 38),
    `why` String
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS fills (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `order` Int64,
    `position` Int64,
    `side` String,
    `price` Decimal(76, 38),
    `amount` Decimal(76, 38),
    `fee` Decimal(76, 38)
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS opened (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `position` Int64,
    `side` String,
    `amount` Decimal(76, 38),
    `entry` Decimal(76, 38),
    `stop` Nullable(Float64),
    `take` Nullable(Float64),
    `trailing` Nullable(Float64),
    `deadline` Nullable(DateTime64(9, 'UTC'))
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS closed (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `position` Int64,
    `side` String,
    `amount` Decimal(76, 38),
    `entry` Decimal(76, 38),
    `exit` Decimal(76, 38),
    `opened_ts` DateTime64(9, 'UTC'),
    `why` String,
    `fees` Decimal(76, 38),
    `pnl` Decimal(76, 38),
    `gross_return` Float64,
    `net_return` Float64
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS halts (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `state` String,
    `why` String
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS faults (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `where` String,
    `error` String,
    `traceback` String
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq);

CREATE TABLE IF NOT EXISTS trades (
    `market` String,
    `ts` DateTime64(9, 'UTC'),
    `price` Float64,
    `size` Float64,
    `side` Int64,
    `id` String,
    `received` Nullable(DateTime64(9, 'UTC')),
    `partition` String,
    `offset` Int64,
    `row` Int64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (market, partition, `offset`, row);

CREATE TABLE IF NOT EXISTS books (
    `market` String,
    `ts` DateTime64(9, 'UTC'),
    `bids` Array(Tuple(price Float64, size Float64)),
    `asks` Array(Tuple(price Float64, size Float64)),
    `sequence` Int64,
    `stamp` DateTime64(9, 'UTC'),
    `received` Nullable(DateTime64(9, 'UTC')),
    `partition` String,
    `offset` Int64,
    `row` Int64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (market, partition, `offset`, row);

CREATE TABLE IF NOT EXISTS heartbeats (
    `market` String,
    `ts` DateTime64(9, 'UTC'),
    `stamp` DateTime64(9, 'UTC'),
    `received` Nullable(DateTime64(9, 'UTC')),
    `partition` String,
    `offset` Int64,
    `row` Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (market, partition, `offset`, row);

CREATE TABLE IF NOT EXISTS gaps (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `why` String,
    `start` DateTime64(9, 'UTC'),
    `end` DateTime64(9, 'UTC'),
    `first_id` String,
    `last_id` String,
    `partition` String,
    `offset` Int64,
    `row` Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq, partition, `offset`, row);

CREATE TABLE IF NOT EXISTS values (
    `market` String,
    `ts` DateTime64(9, 'UTC'),
    `series` String,
    `value` Float64,
    `received` Nullable(DateTime64(9, 'UTC')),
    `partition` String,
    `offset` Int64,
    `row` Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (market, partition, `offset`, row);

CREATE TABLE IF NOT EXISTS instruments (
    `market` String,
    `ts` DateTime64(9, 'UTC'),
    `tick` Nullable(Decimal(76, 38)),
    `lot` Decimal(76, 38),
    `min_notional` Decimal(76, 38),
    `contract_size` Decimal(76, 38),
    `maker_fee` Nullable(Decimal(76, 38)),
    `taker_fee` Nullable(Decimal(76, 38)),
    `partition` String,
    `offset` Int64,
    `row` Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (market, partition, `offset`, row);

CREATE TABLE IF NOT EXISTS reports (
    `market` String,
    `ts` DateTime64(9, 'UTC'),
    `account` String,
    `flow` String,
    `order` String,
    `status` String,
    `price` Nullable(Decimal(76, 38)),
    `amount` Nullable(Decimal(76, 38)),
    `fee` Nullable(Decimal(76, 38)),
    `fee_currency` String,
    `trade_id` String,
    `reason` String,
    `received` Nullable(DateTime64(9, 'UTC')),
    `partition` String,
    `offset` Int64,
    `row` Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (market, partition, `offset`, row);

CREATE TABLE IF NOT EXISTS commands (
    `market` String,
    `ts` DateTime64(9, 'UTC'),
    `action` String,
    `flow` String,
    `who` String,
    `partition` String,
    `offset` Int64,
    `row` Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (market, partition, `offset`, row);

CREATE TABLE IF NOT EXISTS rejects (
    `flow` String,
    `run` String,
    `market` String,
    `seq` Int64,
    `ts` DateTime64(9, 'UTC'),
    `why` String,
    `payload` String,
    `partition` String,
    `offset` Int64,
    `row` Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (flow, run, market, seq, partition, `offset`, row);
