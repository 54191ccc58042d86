"""Candles to draw, with their averages: as they are, or several as one where there are too many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client
from numpy.typing import NDArray

from connectors.recordings.cells import flat
from infra.pictures.bars import Bars
from infra.stories.tape import Tape
from schemas.trades import Float64, Int64

N = TypeVar("N", bound=np.generic)
_END = 2**62
_WHERE = """
    flow = {flow:String} AND run = {run:String} AND market IN {markets:Array(String)}
    AND seq BETWEEN {first:Int64} AND {last:Int64}
"""
_PRICES = ("open", "high", "low", "close", "volume")
_BARS = f"""
SELECT
    market, any(each) AS each,
    toUnixTimestamp64Nano(min(start)) AS start, toUnixTimestamp64Nano(max(`end`)) AS `end`,
    argMin(open, seq) AS open, max(high) AS high, min(low) AS low, argMax(close, seq) AS close,
    sum(volume) AS volume, max(seq) AS place, toUnixTimestamp64Nano(argMax(ts, seq)) AS told
FROM
(
    SELECT
        *,
        toInt64(ceil(count() OVER (PARTITION BY market) / {{most:UInt32}})) AS each,
        intDiv(row_number() OVER (PARTITION BY market ORDER BY seq) - 1, each) AS bar
    FROM candles WHERE {_WHERE} AND kind = {{kind:String}}
)
GROUP BY market, bar ORDER BY market, place
"""  # noqa: S608 - all values are parameters
_AVERAGED = f"""
SELECT b.market AS market, b.place AS place, mapKeys(a.values) AS names, mapValues(a.values) AS numbers
FROM (SELECT market, place, told FROM ({_BARS})) AS b
ASOF INNER JOIN
(
    SELECT market, seq, toUnixTimestamp64Nano(ts) AS then, values FROM averages WHERE {_WHERE}
) AS a ON a.market = b.market AND a.seq > b.place
WHERE a.then = b.told
"""  # noqa: S608, E501 - as above


def finest(client: Client, flow: str, run: str) -> str | None:
    """Return the kind of candles of which a run has most, if it has any."""
    query = (
        "SELECT kind FROM candles WHERE flow = {flow:String} AND run = {run:String} "
        "GROUP BY kind ORDER BY count() DESC, kind LIMIT 1"
    )
    rows = client.query(query, {"flow": flow, "run": run}).result_rows
    return str(rows[0][0]) if rows else None


def bars(tape: Tape, kind: str, most: int, first: int = 0, last: int = _END) -> Bars:
    """Return the candles of a stretch of a tape as at most so many bars.

    Parameters
    ----------
    tape, kind
        Whose, and which.
    most
        How many bars there may be; with more candles, so many following each other are one.
    first, last
        The places on the tape where the stretch begins and ends.

    """
    found = bars_of(tape.client, tape.flow, tape.run, kind, most, [tape.market], first, last)
    return found[tape.market]


def bars_of(
    client: Client, flow: str, run: str, kind: str, most: int, markets: Sequence[str],
    first: int = 0, last: int = _END,
) -> dict[str, Bars]:  # fmt: skip
    """Return the candles of markets, each as at most so many bars; see `bars`."""
    given: dict[str, object] = {
        "flow": flow, "run": run, "kind": kind, "most": most, "markets": list(markets),
        "first": first, "last": last,
    }  # fmt: skip
    found = client.query_arrow(_BARS, given, use_strings=True)
    averaged = client.query_arrow(_AVERAGED, given, use_strings=True)
    return {market: _bars(kind, _of(found, market), _of(averaged, market)) for market in markets}


def _of(found: pa.Table, market: str) -> pa.Table:
    return found.filter(pc.equal(found["market"], market))


def _bars(kind: str, rows: pa.Table, averaged: pa.Table) -> Bars:
    start, end, places = (_column(rows, name, np.int64) for name in ("start", "end", "place"))
    prices = {name: _column(rows, name, np.float64) for name in _PRICES}
    each = int(rows["each"][0].as_py()) if rows.num_rows else 1
    return Bars(kind, each, start, end, averages=_averages(averaged, places), **prices)


def _column(rows: pa.Table, name: str, kind: type[N]) -> NDArray[N]:
    return flat(rows[name].combine_chunks(), kind) if rows.num_rows else np.empty(0, kind)


def _averages(rows: pa.Table, places: Int64) -> dict[str, Float64]:
    averages: dict[str, Float64] = {}
    told = (rows[name].to_pylist() for name in ("place", "names", "numbers"))
    for place, names, numbers in zip(*told, strict=True):
        at = np.searchsorted(places, place)
        for name, number in zip(names, numbers, strict=True):
            if name not in averages:
                averages[name] = np.full(len(places), np.nan)
            averages[name][at] = number
    return averages
