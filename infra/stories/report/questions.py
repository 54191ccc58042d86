"""What a report asks of history, in SQL: one question a table of it."""

from __future__ import annotations

_OF_RUN = "flow = {flow:String} AND run = {run:String}"
_CURRENCY = "extract(market, '/([^:]+)')"
_MADE = """
    count() AS positions, countIf(c.pnl > 0) AS won, won / positions AS share,
    sum(c.pnl) AS pnl, sum(c.fees) AS fees, sum(c.funding) AS funding,
    avg(c.net_return) AS net,
    if(positions > 1, stddevSamp(c.net_return) / sqrt(positions), NULL) AS error,
    max(c.net_return) AS best, min(c.net_return) AS worst,
    toFloat64(sumIf(c.pnl, c.pnl > 0)) / -nullIf(toFloat64(sumIf(c.pnl, c.pnl < 0)), 0) AS factor,
    avg(toUnixTimestamp64Nano(c.ts) - toUnixTimestamp64Nano(c.opened_ts)) AS held
"""
"""`error` is the standard error of the mean return; `factor` what was won as a multiple of what was
lost."""
_QUESTIONS = {
    "about": """
        SELECT run, flow, mode, source, status, code_version, settings, summary,
            toUnixTimestamp64Nano(r.started) AS started,
            toUnixTimestamp64Nano(r.finished) AS finished
        FROM runs AS r WHERE OF_RUN
    """,
    "span": """
        SELECT kind, count() AS candles, uniqExact(market) AS markets,
            countIf(NOT complete) AS incomplete,
            toUnixTimestamp64Nano(min(start)) AS since, toUnixTimestamp64Nano(max(`end`)) AS until
        FROM candles WHERE OF_RUN GROUP BY kind ORDER BY candles DESC, kind
    """,
    "totals": """
        SELECT CURRENCY AS currency, MADE FROM closed AS c WHERE OF_RUN
        GROUP BY currency ORDER BY positions DESC, currency
    """,
    "falls": """
        SELECT currency, max(e.drawdown) AS drawdown,
            toUnixTimestamp64Nano(argMax(e.ts, e.drawdown)) AS at
        FROM equity AS e WHERE OF_RUN GROUP BY currency
    """,
    "markets": """
        SELECT market, MADE FROM closed AS c WHERE OF_RUN
        GROUP BY market ORDER BY positions DESC, market LIMIT {most:UInt32}
    """,
    "days": """
        SELECT toDate(ts, 'UTC') AS day, CURRENCY AS currency, MADE FROM closed AS c WHERE OF_RUN
        GROUP BY day, currency ORDER BY day DESC, currency LIMIT {most:UInt32}
    """,
    "reasons": """
        SELECT why, CURRENCY AS currency, MADE FROM closed AS c WHERE OF_RUN
        GROUP BY why, currency ORDER BY positions DESC, why LIMIT {most:UInt32}
    """,
    "positions": """
        SELECT market, position, side, amount, entry, exit, reason, why, pnl, fees, net_return,
            toUnixTimestamp64Nano(p.opened) AS opened, toUnixTimestamp64Nano(p.closed) AS closed
        FROM positions AS p WHERE OF_RUN
        ORDER BY opened DESC, market, position DESC LIMIT {most:UInt32}
    """,
    "costs": """
        SELECT market, action, count() AS orders, countIf(expected_bps IS NOT NULL) AS known,
            avg(expected_bps) AS expected, avg(realised_bps) AS realised, avg(worse_bps) AS worse,
            sum(o.fees) AS fees
        FROM order_costs AS o WHERE OF_RUN GROUP BY market, action
        ORDER BY orders DESC, market, action LIMIT {most:UInt32}
    """,
    "models": """
        SELECT market, argMax(o.metrics, seq) AS metrics FROM outcomes AS o WHERE OF_RUN
        GROUP BY market ORDER BY market LIMIT {most:UInt32}
    """,
    "calibration": """
        SELECT bin, sum(c.outcomes) AS outcomes,
            sum(c.odds * c.outcomes) / sum(c.outcomes) AS odds,
            sum(c.won * c.outcomes) / sum(c.outcomes) AS won,
            sum(c.net_return * c.outcomes) / sum(c.outcomes) AS net
        FROM calibration AS c WHERE OF_RUN GROUP BY bin ORDER BY bin
    """,
    "expectations": """
        SELECT tenth, count() AS outcomes, avg(e.expected) AS expected, avg(net_return) AS net
        FROM
        (
            SELECT expected, net_return,
                row_number() OVER (ORDER BY expected, market, seq) - 1 AS place,
                intDiv(place * 10, count() OVER ()) AS tenth
            FROM outcomes WHERE OF_RUN AND expected IS NOT NULL
        ) AS e
        GROUP BY tenth ORDER BY tenth
    """,
    "hours": """
        SELECT toUnixTimestamp(toDateTime(m.hour)) AS hour, sum(m.outcomes) AS outcomes,
            sum(m.log_loss * m.outcomes) / sum(m.outcomes) AS log_loss,
            sum(m.base_log_loss * m.outcomes) / sum(m.outcomes) AS base
        FROM model_metrics AS m WHERE OF_RUN AND m.log_loss IS NOT NULL
        GROUP BY hour ORDER BY hour
    """,
    "gap": """
        SELECT count() AS positions, avg(g.gap) AS gap, min(g.gap) AS worst,
            max(g.gap) AS best
        FROM execution_gap AS g WHERE OF_RUN HAVING positions > 0
    """,
    "refused": """
        SELECT why, count() AS times FROM refused WHERE OF_RUN GROUP BY why
        ORDER BY times DESC, why LIMIT 10000
    """,
    "kinds": """
        SELECT kind, count() AS times, toUnixTimestamp64Nano(max(ts)) AS at
        FROM troubles WHERE OF_RUN GROUP BY kind ORDER BY times DESC, kind
    """,
    "troubles": """
        SELECT toUnixTimestamp64Nano(t.ts) AS at, market, kind, left(t.what, 300) AS what
        FROM troubles AS t WHERE OF_RUN ORDER BY at DESC, market, seq DESC LIMIT 30
    """,
}  # fmt: skip
_WORDS = {"OF_RUN": _OF_RUN, "CURRENCY": _CURRENCY, "MADE": _MADE}


def _whole(question: str) -> str:
    """Put in what several questions share."""
    for word, meaning in _WORDS.items():
        question = question.replace(word, meaning)
    return question


QUESTIONS = {name: _whole(question) for name, question in _QUESTIONS.items()}
"""By the name of the table; `{flow}`, `{run}` and `{most}`, the rows of a table, are parameters."""
