"""A large history to ask: trades in the order they would have come, and all that flows concluded.

ClickHouse makes it by itself from rows numbered 0, 1, 2 ...: ten markets by turns, a trade of each
every 0.6 seconds, so a hundred a minute. Candles are really cut from the trades.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MARKETS = 10
EACH = 600_000_000
"""Nanoseconds from one trade of a market to its next."""
MINUTE = 100
"""Trades of a market in a minute."""
START = 1_767_225_600_000_000_000
"""2026-01-01."""


class Step(NamedTuple):
    """What is filled, and by which statement."""

    table: str
    statement: str


def steps(trades: int) -> Iterator[Step]:
    """Yield what fills a history with so many trades.

    There is a candle, averages, a prediction and an outcome for each minute of a market, and a
    position every ten. Two flows have five markets each, and two runs one behind the other.

    Parameters
    ----------
    trades
        Of all markets together.

    """
    minutes = trades // MARKETS // MINUTE
    yield Step("trades", _TRADES.format(trades=trades))
    yield Step("candles", _CANDLES.format(half=minutes // 2))
    for table, text in _DERIVED.items():
        yield Step(table, text)
    for table, text in _POSITIONS.items():
        yield Step(table, text.format(positions=_POSITION))
    yield Step("runs", _RUNS)


_TRADES = f"""
INSERT INTO trades (market, ts, price, size, side, id, received, partition, offset, row)
WITH number % {MARKETS} AS m, intDiv(number, {MARKETS}) AS k, cityHash64(number) AS chance
SELECT
    concat('bench:M', toString(m), '/USDT'),
    fromUnixTimestamp64Nano(toInt64({START} + k * {EACH} + chance % {EACH}), 'UTC'),
    round(
        100 * (m + 1)
            * (1 + 0.05 * sin(k / 2e5 + m) + 0.003 * sin(k / 900) + chance % 997 / 4e6),
        2
    ),
    round((chance % 1000 + 1) / 1000, 3),
    if(chance % 2 = 0, 1, -1),
    toString(1000000000 * (m + 1) + k),
    fromUnixTimestamp64Nano(toInt64({START} + k * {EACH} + chance % {EACH} + 3000000), 'UTC'),
    'bench/0', intDiv(k, 50) * {MARKETS} + m, k % 50
FROM numbers({{trades}})
SETTINGS max_threads = 1
"""  # noqa: S608 - numbers of ours

_CANDLES = """
INSERT INTO candles
WITH toInt64(intDiv(toUnixTimestamp(t.ts), 60)) - {start} AS minute
SELECT
    if(market < 'bench:M5', 'one', 'two') AS flow,
    lower(hex(MD5(concat(flow, if(minute < {{half}}, '1', '2'))))) AS run,
    market, minute * 10 AS seq,
    end AS ts, '1m' AS kind,
    fromUnixTimestamp64Nano((minute + {start}) * 60000000000, 'UTC') AS start,
    fromUnixTimestamp64Nano((minute + 1 + {start}) * 60000000000, 'UTC') AS end,
    argMin(price, t.ts), max(price), min(price), argMax(price, t.ts),
    sum(size), sum(price * size) / sum(size), count(),
    sumIf(size, side = 1), sumIf(size, side = -1),
    countIf(side = 1), countIf(side = -1), sum(price * size),
    toString(min(toInt64(id))), toString(max(toInt64(id))), min(t.ts), max(t.ts), true
FROM trades AS t GROUP BY market, minute
""".format(start=START // 60_000_000_000)

_DERIVED = {
    "averages": """
INSERT INTO averages
SELECT flow, run, market, seq + 1, ts, map('sma5', close, 'sma20', vwap, 'sma60', open) FROM candles
""",
    "predictions": """
INSERT INTO predictions
WITH cityHash64(market, seq) AS chance
SELECT
    flow, run, market, seq + 2, ts, intDiv(seq, 10), 0.3 + chance % 401 / 1000, NULL,
    map('sma5', close / open - 1, 'sma20', close / vwap - 1, 'sma60', high / low - 1,
        'buy_share', 0.5)
FROM candles
""",
    "outcomes": """
INSERT INTO outcomes
WITH cityHash64(decision, market) AS chance, chance % 1000 < odds * 1000 AS won
SELECT
    flow, run, market, seq + 57, ts + INTERVAL 6 MINUTE, decision, 'long', 100,
    if(won, 100.3, 99.8), ts, if(won, 'take', 'stop'), if(won, 0.002, -0.003), won, odds, NULL,
    map('log_loss', 0.69, 'base_log_loss', 0.693, 'count', toFloat64(decision))
FROM predictions
""",
}

_POSITION = """
(
    SELECT
        flow, run, market, seq, ts, close, intDiv(seq, 100) + 1 AS position,
        toDecimal256(toString(close), 38) AS entry, toDecimal256('0.1', 38) AS amount,
        toDecimal256(toString(round(close * 0.00002, 8)), 38) AS fee,
        cityHash64(market, seq) % 2 = 0 AS won,
        ts + INTERVAL 300 SECOND AS over, seq + 50 AS end,
        toDecimal256(toString(round(close * if(won, 1.003, 0.998), 4)), 38) AS exit,
        (exit - entry) / 10 - fee - fee AS pnl, toDecimal256(0, 38) AS nothing
    FROM candles WHERE seq % 100 = 0
)
"""

_POSITIONS = {
    "signals": """
INSERT INTO signals
SELECT flow, run, market, seq + 3, ts, 'long', 1000, 'quote', 'cross', 'market', NULL, 0
FROM {positions}
UNION ALL
SELECT flow, run, market, seq + 23, ts + INTERVAL 2 MINUTE, 'long', 1000, 'quote', 'cross',
    'market', NULL, 0
FROM {positions}
""",
    "refused": """
INSERT INTO refused
SELECT flow, run, market, seq + 24, ts + INTERVAL 2 MINUTE, 'long', 'already long' FROM {positions}
""",
    "orders": """
INSERT INTO orders (flow, run, market, seq, ts, order, position, action, side, amount, why,
    expected, worst, slippage_bps, depth_left)
SELECT flow, run, market, seq + 4, ts, position * 2 - 1, position, 'enter', 'buy', amount, 'cross',
    entry, entry, 1.5, amount FROM {positions}
UNION ALL
SELECT flow, run, market, end + 4, over, position * 2, position, 'exit', 'sell', amount,
    if(won, 'take', 'stop'), exit, exit, 1.5, amount FROM {positions}
""",
    "fills": """
INSERT INTO fills
SELECT flow, run, market, seq + 5, ts + INTERVAL 1 SECOND, position * 2 - 1, position, 'buy', entry,
    amount, fee, '', '' FROM {positions}
UNION ALL
SELECT flow, run, market, end + 5, over + INTERVAL 1 SECOND, position * 2, position, 'sell', exit,
    amount, fee, '', '' FROM {positions}
""",
    "opened": """
INSERT INTO opened
SELECT flow, run, market, seq + 6, ts + INTERVAL 1 SECOND, position, 'long', amount, entry,
    close * 0.998, close * 1.003, NULL, ts + INTERVAL 30 MINUTE FROM {positions}
""",
    "closed": """
INSERT INTO closed
SELECT flow, run, market, end + 6, over + INTERVAL 1 SECOND, position, 'long', amount, entry, exit,
    ts + INTERVAL 1 SECOND, if(won, 'take', 'stop'), fee + fee, pnl,
    if(won, 0.003, -0.002), if(won, 0.0026, -0.0024), nothing, '' FROM {positions}
""",
}

_RUNS = """
INSERT INTO runs
SELECT run, flow, '0.1.0', '{}', 'bench', 'paper', 'finished', min(start), max(end), '{}', 1
FROM candles GROUP BY flow, run
"""
