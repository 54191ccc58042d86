-- One row for each run of a flow; a later `version` of a run replaces the earlier one.
CREATE TABLE IF NOT EXISTS runs (
    run String,
    flow String,
    code_version String,
    settings String,                            -- JSON
    source String,                              -- where the tape came from
    mode LowCardinality(String),                -- replay, paper, live
    status LowCardinality(String),              -- running, finished, failed, stopped
    started DateTime64(9, 'UTC'),
    finished Nullable(DateTime64(9, 'UTC')),
    summary String DEFAULT '{}',                -- JSON: the closing table
    version UInt64                              -- grows with each change
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (flow, run);
