-- What people ask of history, faster and more of it. A position's name is what `deck explain` takes: the beginning of its
-- run, its market and its number.

-- Times only grow in the order these are kept in: a stretch of them is found without reading the rest.

ALTER TABLE trades ADD INDEX IF NOT EXISTS by_time ts TYPE minmax GRANULARITY 1;
ALTER TABLE books ADD INDEX IF NOT EXISTS by_time ts TYPE minmax GRANULARITY 1;
ALTER TABLE heartbeats ADD INDEX IF NOT EXISTS by_time ts TYPE minmax GRANULARITY 1;
ALTER TABLE candles ADD INDEX IF NOT EXISTS by_time ts TYPE minmax GRANULARITY 1;
ALTER TABLE averages ADD INDEX IF NOT EXISTS by_time ts TYPE minmax GRANULARITY 1;
ALTER TABLE predictions ADD INDEX IF NOT EXISTS by_time ts TYPE minmax GRANULARITY 1;
ALTER TABLE outcomes ADD INDEX IF NOT EXISTS by_time ts TYPE minmax GRANULARITY 1;
ALTER TABLE trades MATERIALIZE INDEX by_time;
ALTER TABLE books MATERIALIZE INDEX by_time;
ALTER TABLE heartbeats MATERIALIZE INDEX by_time;
ALTER TABLE candles MATERIALIZE INDEX by_time;
ALTER TABLE averages MATERIALIZE INDEX by_time;
ALTER TABLE predictions MATERIALIZE INDEX by_time;
ALTER TABLE outcomes MATERIALIZE INDEX by_time;

-- One row a position: why it was entered (the reason of its signal) and left, and what it made, in the quote currency.
-- One that is open has no `closed`, `exit`, `why` nor result; its `amount` and `entry` are those of the latest fill.
-- `ts` is when it was closed, or when it last grew. One pass over the three tables: joins took three times as long.

CREATE OR REPLACE VIEW positions AS
SELECT
    concat(left(run, 8), ':', market, ':', toString(position)) AS name,
    flow, run, market, position, ts,
    held.1 AS side, held.2 AS amount, held.3 AS entry,
    if(over, end.1, NULL) AS exit,
    opened,
    if(over, ts, NULL) AS closed,
    reason,
    if(over, end.2, NULL) AS why,
    if(over, end.3, NULL) AS pnl,               -- behind fees and funding
    if(over, end.4, NULL) AS fees,
    if(over, end.5, NULL) AS funding,
    if(over, end.6, NULL) AS other_fees,
    if(over, end.7, NULL) AS gross_return,
    if(over, end.8, NULL) AS net_return,
    armed.1 AS stop, armed.2 AS take, armed.3 AS trailing, armed.4 AS deadline
FROM
(
    SELECT
        flow, run, market, position,
        max(at) AS ts,
        argMax(held, seq) AS held,              -- what was closed stands behind what was opened
        minIf(at, of = 'opened') AS opened,
        argMaxIf(armed, seq, of = 'opened') AS armed,
        anyIf(reason, of = 'order') AS reason,
        anyIf(end, of = 'closed') AS end,
        countIf(of = 'closed') > 0 AS over
    FROM
    (
        SELECT
            'opened' AS of, flow, run, market, position, ts AS at, seq,
            tuple(side, amount, entry) AS held,
            tuple(stop, take, trailing, deadline) AS armed,
            '' AS reason,
            tuple(zero, '', zero, zero, zero, '', 0., 0.) AS end,
            toDecimal256(0, 38) AS zero
        FROM opened FINAL
        UNION ALL
        SELECT
            'closed' AS of, flow, run, market, position, ts AS at, seq,
            tuple(side, amount, entry),
            tuple(NULL, NULL, NULL, NULL),
            '',
            tuple(exit, why, pnl, fees, funding, other_fees, gross_return, net_return),
            toDecimal256(0, 38) AS zero
        FROM closed FINAL
        UNION ALL
        SELECT
            'order' AS of, flow, run, market, position, toDateTime64(0, 9, 'UTC') AS at, -1 AS seq,
            tuple('', zero, zero),
            tuple(NULL, NULL, NULL, NULL),
            why,
            tuple(zero, '', zero, zero, zero, '', 0., 0.),
            toDecimal256(0, 38) AS zero
        FROM orders FINAL WHERE action = 'enter'
    )
    GROUP BY flow, run, market, position
    HAVING countIf(of = 'opened') > 0
);

-- One row a closed position: what its run had made by then over all its markets, from nothing. Markets that are quoted
-- in another currency are summed apart. `peak` is the most it had made so far, at least nothing.

CREATE OR REPLACE VIEW equity AS
SELECT
    concat(left(run, 8), ':', market, ':', toString(position)) AS name,
    flow, run, currency, ts, market, position, seq, pnl, equity,
    max(greatest(equity, toDecimal256(0, 38))) OVER by_time AS peak,
    peak - equity AS drawdown
FROM
(
    SELECT
        flow, run, extract(market, '/([^:]+)') AS currency, ts, market, position, seq, pnl,
        sum(pnl) OVER by_time AS equity
    FROM closed FINAL
    WINDOW by_time AS (
        PARTITION BY flow, run, currency ORDER BY ts, market, seq
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
)
WINDOW by_time AS (
    PARTITION BY flow, run, currency ORDER BY ts, market, seq
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
);

-- What the closed positions of a market made in a run, all in all; `best` and `worst` are the PnL of one, `net_return` is
-- the mean of all.

CREATE OR REPLACE VIEW results AS
SELECT
    flow, run, market,
    extract(market, '/([^:]+)') AS currency,
    count() AS positions,
    countIf(c.pnl > 0) AS won,
    sum(c.pnl) AS pnl,                          -- behind fees and funding
    sum(c.fees) AS fees,
    sum(c.funding) AS funding,
    avg(c.net_return) AS net_return,
    max(c.pnl) AS best,
    min(c.pnl) AS worst,
    min(c.opened_ts) AS since,
    max(c.ts) AS until
FROM (SELECT * FROM closed FINAL) AS c
GROUP BY flow, run, market;

-- One row a run, or one for each currency that it made something in. `since` and `until` are those of its candles, by the
-- tape's time; `started` and `finished` are by our clock.

CREATE OR REPLACE VIEW run_results AS
SELECT
    r.run AS run, r.flow AS flow, r.mode AS mode, r.status AS status,
    if(t.markets > 0, t.since, NULL) AS since,
    if(t.markets > 0, t.until, NULL) AS until,
    t.markets AS markets,
    m.currency AS currency, m.positions AS positions, m.won AS won, m.pnl AS pnl, m.fees AS fees,
    r.source AS source, r.started AS started, r.finished AS finished,
    r.code_version AS code_version, r.settings AS settings, r.summary AS summary
FROM (SELECT * FROM runs FINAL) AS r
LEFT JOIN
(
    SELECT flow, run, uniqExact(market) AS markets, min(start) AS since, max(`end`) AS until
    FROM candles FINAL
    GROUP BY flow, run
) AS t ON r.flow = t.flow AND r.run = t.run
LEFT JOIN
(
    SELECT
        flow, run, currency, sum(positions) AS positions, sum(won) AS won, sum(pnl) AS pnl, sum(fees) AS fees
    FROM results
    GROUP BY flow, run, currency
) AS m ON r.flow = m.flow AND r.run = m.run;

-- What orders of a day were expected to cost beyond the mid price, and what they did: means over the orders that had a
-- book. `worse_bps` above 0 is more than the book had promised.

CREATE OR REPLACE VIEW slippage AS
SELECT
    flow, run, market, toDate(c.ts, 'UTC') AS day, action,
    count() AS orders,
    countIf(isNotNull(c.worse_bps)) AS expected_orders,
    avg(c.expected_bps) AS expected_bps,
    avg(c.realised_bps) AS realised_bps,
    avg(c.worse_bps) AS worse_bps,
    max(c.worse_bps) AS worst_bps,
    sum(c.fees) AS fees
FROM order_costs AS c
GROUP BY flow, run, market, day, action;

-- A position beside the shadow of the same decision: the prediction behind the event that its entry stands behind.
-- `gap` is what was really made above what the model was taught, as a part of the entry's cost. On paper, with the
-- same barriers and size, it is 0 unless a signal or a command ended the position. Semi joins stay as they are written:
-- others were put into an order that took minutes.

CREATE OR REPLACE VIEW execution_gap AS
SELECT
    concat(left(c.run, 8), ':', c.market, ':', toString(c.position)) AS name,
    c.flow AS flow, c.run AS run, c.market AS market, c.position AS position, c.ts AS ts, c.seq AS seq,
    c.side AS side, c.why AS why, c.net_return AS net_return,
    d.decision AS decision, d.shadow_why AS shadow_why, d.shadow_return AS shadow_return,
    c.net_return - d.shadow_return AS gap
FROM
(
    SELECT * FROM closed FINAL
) AS c
LEFT SEMI JOIN
(
    SELECT
        e.flow AS flow, e.run AS run, e.market AS market, e.position AS position, e.side AS side,
        e.decision AS decision, s.why AS shadow_why, s.net_return AS shadow_return
    FROM
    (
        SELECT flow, run, market, decision, side, why, net_return FROM outcomes FINAL
    ) AS s
    INNER JOIN
    (
        -- Several candles may be closed by one event: the nearest decision on the tape is the order's.
        SELECT
            o.flow AS flow, o.run AS run, o.market AS market, o.position AS position,
            if(any(o.side) = 'buy', 'long', 'short') AS side,
            argMin(p.decision, abs(p.seq - o.seq)) AS decision
        FROM (SELECT flow, run, market, ts, seq, decision FROM predictions FINAL) AS p
        INNER JOIN (SELECT * FROM orders FINAL WHERE action = 'enter') AS o
            ON o.flow = p.flow AND o.run = p.run AND o.market = p.market AND o.ts = p.ts
        GROUP BY flow, run, market, position
    ) AS e
        ON e.flow = s.flow AND e.run = s.run AND e.market = s.market AND e.decision = s.decision AND e.side = s.side
) AS d ON c.flow = d.flow AND c.run = d.run AND c.market = d.market AND c.position = d.position AND c.side = d.side;

-- What a model knew, hour by hour of the outcomes' times. Of a classifier: `base_log_loss` is that of somebody who only
-- knows how often it came true so far in the run (Laplace's rule of succession): a model is worth something below it.
-- Of a regressor: the mean absolute and squared error of the return it expected, and `base_mse`, that of always saying 0.
-- `accuracy` is the share of outcomes whose sign it had right; what is of the other kind of model is NULL.

CREATE OR REPLACE VIEW model_metrics AS
SELECT
    flow, run, market,
    toDateTime64(toStartOfHour(toDateTime(o.ts, 'UTC')), 9, 'UTC') AS hour,
    count() AS outcomes,
    avg(o.label) AS won,
    avg(o.net_return) AS net_return,
    avg(if(isNull(o.odds), o.expected > 0, o.odds > 0.5) = o.label) AS accuracy,
    avg(o.odds) AS odds,
    avg(if(isNull(o.odds), NULL, -log(greatest(if(o.label, o.odds, 1 - o.odds), 1e-15)))) AS log_loss,
    avg(if(isNull(o.odds), NULL, -log(if(o.label, base, 1 - base)))) AS base_log_loss,
    avg(o.expected) AS expected,
    avg(abs(o.net_return - o.expected)) AS mae,
    avg(pow(o.net_return - o.expected, 2)) AS mse,
    avg(if(isNull(o.expected), NULL, pow(o.net_return, 2))) AS base_mse
FROM
(
    SELECT
        flow, run, market, ts, label, net_return, odds, expected,
        (sum(label) OVER so_far - label + 1) / (count() OVER so_far + 1) AS base
    FROM outcomes FINAL
    WHERE odds IS NOT NULL OR expected IS NOT NULL
    WINDOW so_far AS (
        PARTITION BY flow, run, market ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
) AS o
GROUP BY flow, run, market, hour;
