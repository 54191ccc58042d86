"""How the feeds of a run's markets are: what came last, and what went wrong of late."""

from __future__ import annotations

from typing import Any

from infra.page.desk import Desk
from infra.page.reader import Reader
from infra.page.runs import Runs
from infra.running.far import FLAT, Line

_HOURS = 24
_MILLI = 1_000_000
_COUNTED = ("gaps", "disconnects", "rejects", "late", "repeated")

_LAST = """
SELECT market, toUnixTimestamp64Milli(max(end)) AS last, argMax(close, seq) AS price
FROM candles WHERE flow = {flow:String} AND run = {run:String}
GROUP BY market ORDER BY market SETTINGS final = 0
"""
_OWN = """(flow = {flow:String} AND run = {run:String} OR flow = '')
    AND market IN {markets:Array(String)}"""
_COUNTS = f"""
SELECT
    market, countIf(kind = 'gap') AS gaps, countIf(why = 'disconnect') AS disconnects,
    countIf(kind = 'reject') AS rejects, countIf(kind = 'late') AS late,
    countIf(kind = 'repeated') AS repeated,
    toUnixTimestamp64Milli(maxIf(ts, kind = 'gap')) AS last_gap
FROM
(
    SELECT market, ts, 'gap' AS kind, why FROM gaps WHERE {_OWN}
    UNION ALL
    SELECT market, ts, 'reject', '' FROM rejects WHERE {_OWN}
    UNION ALL
    SELECT market, ts, 'late', '' FROM lates WHERE {_OWN}
    UNION ALL
    SELECT market, ts, 'repeated', '' FROM repeated WHERE {_OWN}
)
WHERE ts >= fromUnixTimestamp64Milli({{since:Int64}})
GROUP BY market
"""  # noqa: S608 - all values are parameters


class Feed:
    """The health of feeds.

    Parameters
    ----------
    reader, runs
        Ask history.
    desk
        Knows what deployments say.

    """

    def __init__(self, reader: Reader, runs: Runs, desk: Desk) -> None:
        self._reader, self._runs, self._desk = reader, runs, desk

    def of(self, run: str) -> dict[str, Any]:
        """Return how the feed of each of a run's markets is."""
        flow = self._runs.flow(run)
        last = self._reader.ask(_LAST, flow=flow, run=run)
        lines = self._desk.lines(run)
        known = dict(
            zip(last["market"], zip(last["last"], last["price"], strict=True), strict=True)
        )
        markets = sorted({*known, *lines})
        since = max((*last["last"], 0)) - _HOURS * 3_600_000
        counts = self._reader.ask(_COUNTS, flow=flow, run=run, markets=markets, since=since)
        rows = [_row(market, known, lines.get(market)) for market in markets]
        found = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
        places = {market: place for place, market in enumerate(counts["market"])}
        for name in _COUNTED:
            found[name] = [counts[name][places[m]] if m in places else 0 for m in markets]
        gaps = [counts["last_gap"][places[m]] if m in places else 0 for m in markets]
        return {"feed": {**found, "last_gap": [gap or None for gap in gaps]}, "hours": _HOURS}


def _row(market: str, known: dict[str, tuple[int, float]], line: Line | None) -> dict[str, Any]:
    last, price = known.get(market, (None, None))
    told = line or Line(mode=FLAT)
    return {
        "market": market, "last_event": told.stamp // _MILLI or last, "price": price,
        "mode": told.mode, "position": told.position, "order": told.order, "report": told.report,
    }  # fmt: skip
