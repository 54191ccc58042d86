-- What orders were expected to cost, and what they did: one row for each entry and exit with fills. Basis points count
-- from the mid price of the book that the expectation was taken from; above 0 is worse. Without a book there is no mid.

CREATE VIEW IF NOT EXISTS order_costs AS
SELECT
    o.flow AS flow, o.run AS run, o.market AS market, o.`order` AS `order`, o.position AS position,
    o.ts AS ts, o.action AS action, o.side AS side, o.kind AS kind, o.why AS why,
    toFloat64(o.amount) AS asked,
    f.filled AS filled,
    toFloat64(o.expected) AS expected,
    f.realised AS realised,
    o.slippage_bps AS expected_bps,
    if(o.side = 'buy', 1, -1) * (f.realised / mid - 1) * 10000 AS realised_bps,
    realised_bps - expected_bps AS worse_bps,
    toFloat64(o.expected) / (1 + if(o.side = 'buy', 1, -1) * o.slippage_bps / 10000) AS mid,
    f.fees AS fees,                             -- in the quote currency
    f.other_fees AS other_fees                  -- in others, by currency
FROM
(
    SELECT * FROM orders FINAL WHERE action IN ('enter', 'exit')
) AS o
INNER JOIN
(
    SELECT
        flow, run, market, `order`,
        sum(toFloat64(amount)) AS filled,
        sum(toFloat64(price) * toFloat64(amount)) / filled AS realised,
        sumIf(fee, fee_currency = '') AS fees,
        sumMapIf(map(fee_currency, fee), fee_currency != '') AS other_fees
    FROM fills FINAL
    GROUP BY flow, run, market, `order`
) AS f ON o.flow = f.flow AND o.run = f.run AND o.market = f.market AND o.`order` = f.`order`;
