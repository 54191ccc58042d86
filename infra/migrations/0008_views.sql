-- What people ask of history: one view a question. Money is exact where the events' is. Days and hours are UTC; `ts`
-- is the tape's time.

-- One row a position: why it was entered (the reason of its signal) and left, and what it made, in the quote currency.
-- One that is open has no `closed`, `exit`, `why` nor result; its `amount` and `entry` are those of the latest fill.
-- `ts` is when it was closed, or when it last grew.

CREATE VIEW IF NOT EXISTS positions AS
SELECT
    o.flow AS flow, o.run AS run, o.market AS market, o.position AS position,
    if(c.over, c.ts, o.grown) AS ts,
    o.side AS side,
    if(c.over, c.amount, o.amount) AS amount,
    if(c.over, c.entry, o.entry) AS entry,
    if(c.over, c.exit, NULL) AS exit,
    o.opened AS opened,
    if(c.over, c.ts, NULL) AS closed,
    e.reason AS reason,
    if(c.over, c.why, NULL) AS why,
    if(c.over, c.pnl, NULL) AS pnl,             -- behind fees and funding
    if(c.over, c.fees, NULL) AS fees,
    if(c.over, c.funding, NULL) AS funding,
    if(c.over, c.other_fees, NULL) AS other_fees,
    if(c.over, c.gross_return, NULL) AS gross_return,
    if(c.over, c.net_return, NULL) AS net_return,
    o.stop AS stop, o.take AS take, o.trailing AS trailing, o.deadline AS deadline
FROM
(
    SELECT
        flow, run, market, position,
        min(ts) AS opened, max(ts) AS grown,
        argMax(side, seq) AS side, argMax(amount, seq) AS amount, argMax(entry, seq) AS entry,
        argMax(tuple(stop), seq).1 AS stop,     -- in a tuple, for argMax passes over NULL
        argMax(tuple(take), seq).1 AS take,
        argMax(tuple(trailing), seq).1 AS trailing,
        argMax(tuple(deadline), seq).1 AS deadline
    FROM (SELECT * FROM opened FINAL)
    GROUP BY flow, run, market, position
) AS o
LEFT JOIN
(
    SELECT *, true AS over FROM closed FINAL
) AS c ON o.flow = c.flow AND o.run = c.run AND o.market = c.market AND o.position = c.position
LEFT JOIN
(
    SELECT flow, run, market, position, why AS reason FROM orders FINAL WHERE action = 'enter'
) AS e ON o.flow = e.flow AND o.run = e.run AND o.market = e.market AND o.position = e.position;

-- What the positions made that were closed on a day; `best` and `worst` are the PnL of one.

CREATE VIEW IF NOT EXISTS daily AS
SELECT
    flow, run, market, toDate(ts, 'UTC') AS day,
    count() AS positions,
    countIf(c.pnl > 0) AS won,
    sum(c.pnl) AS pnl,
    sum(c.fees) AS fees,
    sum(c.funding) AS funding,
    max(c.pnl) AS best,
    min(c.pnl) AS worst
FROM (SELECT * FROM closed FINAL) AS c
GROUP BY flow, run, market, day;

-- One row a closed position: what its run had made by then over all its markets, from nothing. Markets that are quoted
-- in another currency are summed apart. `peak` is the most it had made so far, at least nothing.

CREATE VIEW IF NOT EXISTS equity AS
SELECT
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

-- A position beside the shadow of the same decision: the prediction behind the event that its entry stands behind.
-- `gap` is what was really made above what the model was taught, as a part of the entry's cost. On paper, with the
-- same barriers and size, it is 0 unless a signal or a command ended the position.

CREATE VIEW IF NOT EXISTS execution_gap AS
SELECT
    c.flow AS flow, c.run AS run, c.market AS market, c.position AS position, c.ts AS ts, c.seq AS seq,
    c.side AS side, c.why AS why, c.net_return AS net_return,
    s.decision AS decision, s.why AS shadow_why, s.net_return AS shadow_return,
    c.net_return - s.net_return AS gap
FROM
(
    SELECT * FROM closed FINAL
) AS c
INNER JOIN
(
    -- Several candles may be closed by one event: the nearest decision on the tape is the order's.
    SELECT
        e.flow AS flow, e.run AS run, e.market AS market, e.position AS position,
        argMin(p.decision, abs(p.seq - e.seq)) AS decision
    FROM (SELECT * FROM orders FINAL WHERE action = 'enter') AS e
    INNER JOIN (SELECT flow, run, market, ts, seq, decision FROM predictions FINAL) AS p
        ON e.flow = p.flow AND e.run = p.run AND e.market = p.market AND e.ts = p.ts
    GROUP BY flow, run, market, position
) AS d ON c.flow = d.flow AND c.run = d.run AND c.market = d.market AND c.position = d.position
INNER JOIN
(
    SELECT flow, run, market, decision, side, why, net_return FROM outcomes FINAL
) AS s
    ON d.flow = s.flow AND d.run = s.run AND d.market = s.market AND d.decision = s.decision
    AND c.side = s.side;

-- Each signal, and what stands right behind it: the order that it made, or why it was refused; both, if an entry was
-- made smaller. The entry that follows the exit of a `reverse` is the next position's.

CREATE VIEW IF NOT EXISTS decisions AS
SELECT
    s.flow AS flow, s.run AS run, s.market AS market, s.seq AS seq, s.ts AS ts,
    s.action AS action, s.amount AS amount, s.unit AS unit, s.reason AS reason, s.kind AS kind,
    multiIf(b.`order` > 0, 'order', b.refused != '', 'refused', 'nothing') AS became,
    nullIf(b.`order`, 0) AS `order`,
    nullIf(b.position, 0) AS position,
    nullIf(b.refused, '') AS refused
FROM
(
    SELECT * FROM signals FINAL
) AS s
LEFT JOIN
(
    SELECT
        a.flow AS flow, a.run AS run, a.market AS market, a.seq AS seq,
        max(o.`order`) AS `order`, max(o.position) AS position, max(o.refused) AS refused
    FROM
    (
        SELECT flow, run, market, seq, ts, `order`, position, action, why, '' AS refused
        FROM orders FINAL WHERE action IN ('enter', 'exit')
        UNION ALL
        SELECT flow, run, market, seq, ts, 0, 0, 'refused', '', why FROM refused FINAL
    ) AS o
    ASOF INNER JOIN
    (
        SELECT flow, run, market, seq, ts, action, reason FROM signals FINAL
    ) AS a ON o.flow = a.flow AND o.run = a.run AND o.market = a.market AND o.seq > a.seq
    -- What else happens at that time, such as a barrier that is hit, has another reason.
    WHERE o.ts = a.ts AND o.seq <= a.seq + 3 AND (
        o.action = 'refused' OR o.why = if(o.action = 'exit' AND a.reason = '', a.action, a.reason)
    )
    GROUP BY flow, run, market, seq
) AS b ON s.flow = b.flow AND s.run = b.run AND s.market = b.market AND s.seq = b.seq;

-- The odds that a model gave, in ten bins, against what came: `won` is close to `odds` if they can be believed.

CREATE VIEW IF NOT EXISTS calibration AS
SELECT
    flow, run, market,
    least(toInt64(floor(assumeNotNull(o.odds) * 10)), 9) / 10 AS bin,  -- its lower end
    count() AS outcomes,
    avg(assumeNotNull(o.odds)) AS odds,
    avg(o.label) AS won,
    avg(o.net_return) AS net_return
FROM (SELECT * FROM outcomes FINAL WHERE odds IS NOT NULL) AS o
GROUP BY flow, run, market, bin;

-- What a classifier knew, hour by hour of the outcomes' times. `base_log_loss` is that of somebody who only knows how
-- often it came true so far in the run (Laplace's rule of succession): a model is worth something below it.

CREATE VIEW IF NOT EXISTS model_metrics AS
SELECT
    flow, run, market,
    toDateTime64(toStartOfHour(toDateTime(o.ts, 'UTC')), 9, 'UTC') AS hour,
    count() AS outcomes,
    avg(o.odds) AS odds,
    avg(o.label) AS won,
    avg(-log(greatest(if(o.label, o.odds, 1 - o.odds), 1e-15))) AS log_loss,
    avg(-log(if(o.label, base, 1 - base))) AS base_log_loss
FROM
(
    SELECT
        flow, run, market, ts, label, assumeNotNull(odds) AS odds,
        (sum(label) OVER so_far - label + 1) / (count() OVER so_far + 1) AS base
    FROM outcomes FINAL
    WHERE odds IS NOT NULL
    WINDOW so_far AS (
        PARTITION BY flow, run, market ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
) AS o
GROUP BY flow, run, market, hour;

-- What went wrong, in one list. What was found while it was taken in is of no flow.

CREATE VIEW IF NOT EXISTS troubles AS
SELECT flow, run, market, seq, ts, 'fault' AS kind, concat(`where`, ': ', error) AS what FROM faults FINAL
UNION ALL
SELECT flow, run, market, seq, ts, 'gap', concat(why, ': ', toString(start), ' to ', toString(`end`)) FROM gaps FINAL
UNION ALL
SELECT flow, run, market, seq, ts, 'reject', why FROM rejects FINAL
UNION ALL
SELECT flow, run, market, seq, ts, 'late', concat('a trade of ', toString(stamp)) FROM lates FINAL
UNION ALL
SELECT flow, run, market, seq, ts, 'halt', concat(state, ': ', why) FROM halts FINAL;
