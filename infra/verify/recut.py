"""Candles made again from the trades that history keeps: in SQL, by nothing of ours.

ClickHouse reckons alone here. A trade counts at the tape's time, as the tape entry has it: the
greatest stamp so far, of a trade, or of a book or heartbeat less a second. One more than a second
older than the greatest of a trade is late and counts nowhere, one with an id that came before
neither. Sums may differ in their last bits, for ClickHouse adds in another order; all else may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isclose
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

_SUMS = 1e-9
"""How far sums may be apart, of their size."""
_EXACT = (
    "open", "high", "low", "close", "count", "buy_count", "sell_count", "first_id", "last_id",
)  # fmt: skip
_TIMES = ("first_ts", "last_ts")
_CLOSE = ("volume", "buy_volume", "sell_volume", "quote_volume", "vwap")
_FIELDS = (*_EXACT, *_TIMES, *_CLOSE)
_HOUR = 3_600 * 10**9

# Of time only: their kinds are such as `1m`, and those of ticks, volume and dollars `100 ticks`.
_CANDLES = """
    SELECT * FROM candles FINAL
    WHERE flow = {flow:String} AND run = {run:String} AND market = {market:String}
        AND seq >= {since:Int64} AND seq < {until:Int64}
        AND complete AND count > 0 AND kind NOT LIKE '% %'
"""
_SPANS = f"""
SELECT kind,
    min(toUnixTimestamp64Nano(start)) AS first, max(toUnixTimestamp64Nano(end)) AS last,
    any(toUnixTimestamp64Nano(end) - toUnixTimestamp64Nano(start)) AS every
FROM ({_CANDLES}) GROUP BY kind ORDER BY kind
"""  # noqa: S608 - our own text
_HERE = """
    market = {market:String} AND partition IN {partitions:Array(String)}
    AND ts >= fromUnixTimestamp64Nano({first:Int64}, 'UTC')
    AND ts <= fromUnixTimestamp64Nano({last:Int64}, 'UTC')
"""
_KNOWN = f"SELECT count() FROM trades WHERE {_HERE}"  # noqa: S608 - our own text
_PAIRS = ", ".join(
    f"toUnixTimestamp64Nano(c.{name}), m.{name}" if name in _TIMES else f"c.{name}, m.{name}"
    for name in _FIELDS
)
_RECUT = f"""
WITH tape AS (
    SELECT `offset`, row, toUnixTimestamp64Nano(ts) AS stamp, 1 AS trade, price, size, side, id
    FROM trades FINAL WHERE NOT backfilled AND {_HERE}
    UNION ALL
    SELECT `offset`, row, toUnixTimestamp64Nano(ts), 0, 0., 0., 0, '' FROM books FINAL
    WHERE {_HERE}
    UNION ALL
    SELECT `offset`, row, toUnixTimestamp64Nano(ts), 0, 0., 0., 0, '' FROM heartbeats FINAL
    WHERE {_HERE}
),
clocked AS (
    SELECT *,
        max(if(trade = 1, stamp, 0)) OVER before AS clock,
        max(if(trade = 1, stamp, stamp - 1000000000)) OVER before AS time,
        row_number() OVER (PARTITION BY trade, id ORDER BY `offset`, row) AS turn
    FROM tape
    WINDOW before AS (ORDER BY `offset`, row ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
made AS (
    SELECT intDiv(time, {{every:Int64}}) * {{every:Int64}} AS begun,
        argMin(price, (`offset`, row)) AS open, max(price) AS high, min(price) AS low,
        argMax(price, (`offset`, row)) AS close, toInt64(count()) AS count,
        toInt64(countIf(side = 1)) AS buy_count, toInt64(countIf(side = -1)) AS sell_count,
        argMin(id, (`offset`, row)) AS first_id, argMax(id, (`offset`, row)) AS last_id,
        min(time) AS first_ts, max(time) AS last_ts,
        sum(size) AS volume, sumIf(size, side = 1) AS buy_volume,
        sumIf(size, side = -1) AS sell_volume, sum(price * size) AS quote_volume,
        if(volume > 0, quote_volume / volume, close) AS vwap
    FROM clocked WHERE trade = 1 AND stamp >= clock - 1000000000 AND (turn = 1 OR id = '')
    GROUP BY begun
)
SELECT c.seq, toUnixTimestamp64Nano(c.start), {_PAIRS}
FROM ({_CANDLES} AND kind = {{kind:String}}) AS c
LEFT JOIN made AS m ON toUnixTimestamp64Nano(c.start) = m.begun
ORDER BY c.seq
"""  # noqa: S608 - our own text


class Recut(NamedTuple):
    """What became of candles that were made again."""

    candles: int
    first: dict[str, Any] | None = None
    """The first that differs: its market, number and start, and each field that does."""


def recut(
    client: Client, whose: Mapping[str, str], partitions: Iterable[str],
    since: Mapping[str, int], until: Mapping[str, int],
) -> Recut | None:  # fmt: skip
    """Make the complete candles of a stretch again; None if history has not its trades.

    Parameters
    ----------
    client
        Reads history.
    whose
        The `flow` and the `run`.
    partitions
        Those of the log that it read.
    since, until
        How many events each market had at the beginning of the stretch, and at its end.

    """
    count = 0
    for market, end in sorted(until.items()):
        given: dict[str, Any] = {
            **whose, "market": market, "partitions": [*partitions],
            "since": since.get(market, 0), "until": end,
        }  # fmt: skip
        for kind, first, last, every in client.query(_SPANS, given).result_rows:
            given |= {"kind": kind, "every": every, "first": first - _HOUR, "last": last + _HOUR}
            if not client.query(_KNOWN, given).result_rows[0][0]:
                return None  # such as of a simulated market
            for seq, start, *pairs in client.query(_RECUT, given).result_rows:
                count += 1
                if wrong := _wrong(pairs):
                    named = {"market": market, "seq": seq, "kind": kind, "start": start}
                    return Recut(count, {**named, "fields": wrong})
    return Recut(count)


def _wrong(pairs: list[Any]) -> dict[str, tuple[Any, Any]]:
    """Return what differs: name, as history has it, as it was made again."""
    return {
        name: (ours, made)
        for name, ours, made in zip(_FIELDS, pairs[::2], pairs[1::2], strict=True)
        if not (isclose(ours, made, rel_tol=_SUMS) if name in _CLOSE else ours == made)
    }
