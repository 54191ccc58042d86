"""Candles to draw, with their averages: as they are, or several as one where there are too many."""

from __future__ import annotations

from math import ceil
from typing import TypeVar, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.cells import flat
from infra.pictures.bars import Bars
from infra.stories.tape import WHOSE, Tape
from schemas.trades import Float64, Int64

N = TypeVar("N", bound=np.generic)
_CANDLES = f"""
    FROM candles WHERE {WHOSE} AND kind = {{kind:String}}
    AND seq BETWEEN {{first:Int64}} AND {{last:Int64}}
"""
_COUNT = f"SELECT count() {_CANDLES}"
_PRICES = ("open", "high", "low", "close", "volume")
_BARS = f"""
SELECT
    toUnixTimestamp64Nano(min(start)) AS start, toUnixTimestamp64Nano(max(`end`)) AS `end`,
    argMin(open, seq) AS open, max(high) AS high, min(low) AS low, argMax(close, seq) AS close,
    sum(volume) AS volume, max(seq) AS place, argMax(ts, seq) AS told
FROM
(
    SELECT *, intDiv(row_number() OVER (ORDER BY seq) - 1, {{each:UInt64}}) AS bar {_CANDLES}
)
GROUP BY bar ORDER BY place
"""  # noqa: S608 - all values are parameters
_AVERAGED = f"""
SELECT b.place AS place, mapKeys(a.values) AS names, mapValues(a.values) AS numbers
FROM ({_BARS}) AS b
ASOF INNER JOIN
(
    SELECT seq, ts, values, 1 AS one FROM averages
    WHERE {WHOSE} AND seq BETWEEN {{first:Int64}} AND {{last:Int64}} + 3
) AS a ON a.one = toUInt8(b.place >= 0) AND a.seq > b.place
WHERE a.ts = b.told
ORDER BY place
"""  # noqa: S608 - as above


def kinds(tape: Tape) -> dict[str, int]:
    """Return the kinds of candles that a market has, and how many of each."""
    query = f"SELECT kind, count() FROM candles WHERE {WHOSE} GROUP BY kind ORDER BY count() DESC"  # noqa: S608 - our names
    return {
        str(kind): int(count) for kind, count in tape.client.query(query, tape.whose).result_rows
    }


def bars(tape: Tape, kind: str, most: int, first: int = 0, last: int = 2**62) -> Bars:
    """Return the candles of a stretch of the tape as at most so many bars.

    Parameters
    ----------
    tape, kind
        Whose, and which.
    most
        How many bars there may be; with more candles, so many following each other are one.
    first, last
        The places on the tape where the stretch begins and ends.

    """
    given = {**tape.whose, "kind": kind, "first": first, "last": last}
    count = int(cast(int, tape.client.command(_COUNT, given)))
    given["each"] = each = max(1, ceil(count / most))
    found = tape.client.query_arrow(_BARS, given)
    start, end, places = (_column(found, name, np.int64) for name in ("start", "end", "place"))
    prices = {name: _column(found, name, np.float64) for name in _PRICES}
    return Bars(kind, each, start, end, averages=_averages(tape, given, places), **prices)


def _column(found: pa.Table, name: str, kind: type[N]) -> NDArray[N]:
    return flat(found[name].combine_chunks(), kind) if found.num_rows else np.empty(0, kind)


def _averages(tape: Tape, given: dict[str, object], places: Int64) -> dict[str, Float64]:
    found = tape.client.query_arrow(_AVERAGED, given, use_strings=True)
    averages: dict[str, Float64] = {}
    rows = (found[name].to_pylist() for name in ("place", "names", "numbers"))
    for place, names, numbers in zip(*rows, strict=True):
        at = np.searchsorted(places, place)
        for name, number in zip(names, numbers, strict=True):
            if name not in averages:
                averages[name] = np.full(len(places), np.nan)
            averages[name][at] = number
    return averages
