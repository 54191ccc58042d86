-- One row for each time that a flow was deployed: what was asked for, with which code, by whom and when.
CREATE TABLE IF NOT EXISTS deployments (
    id String,
    name String,
    flow String,                                -- the flow file
    source String,                              -- simulate, replay:FILE, exchange:NAME, kafka
    broker LowCardinality(String),
    account String,
    markets String,                             -- with commas between; empty for all
    code_version String,                        -- JSON: git revision, dirty, package, flow file
    settings String,                            -- JSON: processes, warm-up, options
    who String,
    at DateTime64(9, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (name, id);
