"""Candles and averages a page at a time, as far back as history goes, and put together."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from infra.page.asked import LATEST, MOST, Asked
from infra.page.reader import Columns, Reader
from infra.page.refusal import NOT_FOUND, Refusal
from infra.page.runs import Runs, width

LIMIT = 500
_MOST = 5_000
_STEPS = (60, 366 * 86_400)

_WHOSE = "flow = {flow:String} AND run = {run:String} AND market = {market:String}"
_OF = f"{_WHOSE} AND kind = {{kind:String}}"
_NUMBERS = ("open", "high", "low", "close", "volume", "count", "complete")
_NAMES = {"began": "time", "ended": "end", **{f"{name}_": name for name in _NUMBERS}}

_KIND = f"SELECT kind FROM candles WHERE {_WHOSE} ORDER BY seq LIMIT 1"  # noqa: S608 - all values are parameters
_SINGLE = f"""
SELECT
    seq, toUnixTimestamp64Milli(start) AS began, toUnixTimestamp64Milli(end) AS ended,
    open, high, low, close, volume, count, complete
FROM candles WHERE {_OF} AND seq > {{after:Int64}} AND seq < {{before:Int64}}
    AND start <= fromUnixTimestamp64Milli({{until:Int64}})
ORDER BY seq %s LIMIT {{limit:UInt32}}
"""  # noqa: S608 - as above
_TOGETHER = f"""
SELECT
    min(seq) AS head, max(seq) AS tail,
    intDiv(toUnixTimestamp(start), {{step:UInt32}}) * {{step:UInt32}} AS bucket,
    toInt64(bucket) * 1000 AS began, began + {{step:UInt32}} * 1000 AS ended,
    argMin(open, seq) AS open_, max(high) AS high_, min(low) AS low_, argMax(close, seq) AS close_,
    sum(volume) AS volume_, sum(count) AS count_, min(complete) AS complete_
FROM candles WHERE {_OF} AND seq >= {{after:Int64}} AND seq < {{before:Int64}}
    AND start <= fromUnixTimestamp64Milli({{until:Int64}})
GROUP BY bucket HAVING head > {{after:Int64}} ORDER BY bucket %s LIMIT {{limit:UInt32}}
"""  # noqa: S608 - as above
_AVERAGES = f"""
SELECT seq, values FROM averages
WHERE {_WHOSE} AND seq > {{first:Int64}} AND seq < {{behind:Int64}}
ORDER BY seq LIMIT {{limit:UInt32}}
"""  # noqa: S608 - as above
_AVERAGES_AT = f"""
SELECT seq, values FROM averages WHERE {_WHOSE} AND seq IN {{places:Array(Int64)}} ORDER BY seq
"""  # noqa: S608 - as above


@dataclass(frozen=True)
class Page:
    """Which candles are wanted.

    Parameters
    ----------
    run, market
        Whose.
    kind
        Of which kind; None is the run's first.
    after, before
        Between which places of the tape.
    until
        Begun by then, in milliseconds.
    onward
        The oldest of them, instead of the newest.
    limit
        So many.
    step
        How many seconds are put together; None for single candles.

    """

    run: str
    market: str
    kind: str | None = None
    after: int = -1
    before: int = MOST
    until: int = LATEST
    onward: bool = False
    limit: int = LIMIT
    step: int | None = None

    @classmethod
    def of(cls, run: str, asked: Asked) -> Page:
        """Read what a request asks for."""
        after = asked.number("after", None, -1, MOST)
        return cls(
            run, asked.market(), asked.text("kind"), -1 if after is None else after,
            asked.count("before", MOST, 0, MOST), asked.count("until", LATEST, 0, LATEST),
            after is not None, asked.count("limit", LIMIT, 1, _MOST),
            asked.number("step", None, *_STEPS),
        )  # fmt: skip


class Candles:
    """The candles of history, and the averages behind them.

    Parameters
    ----------
    reader, runs
        Ask history.

    """

    def __init__(self, reader: Reader, runs: Runs) -> None:
        self._reader, self._runs = reader, runs

    def page(self, page: Page) -> dict[str, Any]:
        """Return a page of candles, the oldest first.

        Raises
        ------
        Refusal
            When there is no such run, or no candle of that market.

        """
        flow = self._runs.flow(page.run)
        kind = page.kind or self._kind(flow, page)
        whose: dict[str, object] = {"flow": flow, "run": page.run, "market": page.market}
        query = (_SINGLE if page.step is None else _TOGETHER) % ("ASC" if page.onward else "DESC")
        found = self._reader.ask(
            query, **whose, kind=kind, after=page.after, before=page.before, until=page.until,
            limit=page.limit + 1, step=page.step or 0,
        )  # fmt: skip
        more = len(found["began"]) > page.limit
        forth = 1 if page.onward else -1
        rows = {name: column[: page.limit][::forth] for name, column in found.items()}
        averages = self._averages(whose, page, rows)
        rows["seq"] = rows.pop("head", rows.get("seq", []))
        rows = {name: rows[name] for name in rows if name not in ("tail", "bucket")}
        return {
            "market": page.market,
            "kind": kind,
            "step": page.step or width(kind),
            "more": more,
            "candles": {_NAMES.get(name, name): column for name, column in rows.items()},
            "averages": averages,
        }

    def _kind(self, flow: str, page: Page) -> str:
        found = self._reader.ask(_KIND, flow=flow, run=page.run, market=page.market)["kind"]
        if not found:
            raise Refusal(NOT_FOUND, f"the run has no candle of {page.market!r} yet")
        return str(found[0])

    def _averages(
        self, whose: dict[str, object], page: Page, rows: Columns
    ) -> dict[str, list[float | None]]:
        """Return the averages of each row; of those put together, of its last candle."""
        tails = rows.get("tail", rows.get("seq", []))
        if not tails:
            return {}
        if page.step is not None:  # they stand right behind their candle, but for what else does
            places = [tail + behind for tail in tails for behind in (1, 2)]
            found = self._reader.ask(_AVERAGES_AT, **whose, places=places)
        else:
            behind = page.before if not page.onward else tails[-1] + 3
            found = self._reader.ask(
                _AVERAGES, **whose, first=tails[0], behind=behind, limit=2 * _MOST
            )
        return aligned(tails, found)


def aligned(places: list[int], averages: Columns) -> dict[str, list[float | None]]:
    """Return averages by name, each as long as the candles they belong to.

    Parameters
    ----------
    places
        Where on the tape the candles stand.
    averages
        Where averages stand, and their numbers by name.

    Examples
    --------
    >>> aligned([5, 8, 11], {"seq": [9, 12], "values": [[("sma2", 1.5)], [("sma2", 2.5)]]})
    {'sma2': [None, 1.5, 2.5]}

    """
    lines: dict[str, list[float | None]] = {}
    for seq, values in zip(averages["seq"], averages["values"], strict=True):
        row = bisect_left(places, seq) - 1  # the candle in front of it
        for name, value in values:
            line = lines.setdefault(name, [None] * len(places))
            if line[row] is None and row >= 0:
                line[row] = value
    return lines
