"""The runs of history, and what each has."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

import orjson

from infra.page.asked import LATEST
from infra.page.reader import Columns, Reader
from infra.page.refusal import NOT_FOUND, Refusal

_REMEMBERED = 1_000
_TIMED = re.compile(r"([0-9]+)(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

_COLUMNS = """
    run, flow, mode, status, source,
    toUnixTimestamp64Milli(started) AS began, toUnixTimestamp64Milli(finished) AS ended
"""
_NEWEST = f"""
SELECT {_COLUMNS} FROM runs
WHERE started < fromUnixTimestamp64Milli({{before:Int64}})
ORDER BY started DESC, run LIMIT {{limit:UInt32}}
"""  # noqa: S608 - all values are parameters
_ONE = f"SELECT {_COLUMNS}, code_version, settings, summary FROM runs WHERE run = {{run:String}}"  # noqa: S608 - as above
_TRADES = """
SELECT count() AS found FROM runs
WHERE run = {run:String} AND status = 'running' AND mode != 'replay' AND startsWith(source, 'log ')
"""
_FLOW = "SELECT flow FROM runs WHERE run = {run:String} LIMIT 1"
_MARKETS = """
SELECT
    market, kind, count() AS candles,
    toUnixTimestamp64Milli(min(start)) AS first, toUnixTimestamp64Milli(max(start)) AS last
FROM candles WHERE flow = {flow:String} AND run = {run:String}
GROUP BY market, kind ORDER BY market, min(seq)
SETTINGS final = 0
"""
"""Rows that came twice are counted twice until they are merged: it is a matter of milliseconds."""


class Runs:
    """What there is in history.

    Parameters
    ----------
    reader
        Asks it.

    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._flows: OrderedDict[str, str] = OrderedDict()

    def flow(self, run: str) -> str:
        """Return the flow of a run.

        Raises
        ------
        Refusal
            When there is no such run.

        """
        if run not in self._flows:
            found = self._reader.ask(_FLOW, run=run)["flow"]
            if not found:
                raise Refusal(NOT_FOUND, f"history has no run {run}: deck history show runs")
            self._flows[run] = found[0]
            if len(self._flows) > _REMEMBERED:
                self._flows.popitem(last=False)
        return self._flows[run]

    def trades(self, run: str) -> bool:
        """Tell whether a run reads the embedded log, as far as history knows."""
        return bool(self._reader.ask(_TRADES, run=run)["found"][0])

    def newest(self, limit: int, before: int = LATEST) -> list[dict[str, Any]]:
        """Return the newest runs that began before a time, in milliseconds."""
        return _rows(self._reader.ask(_NEWEST, limit=limit, before=before))

    def one(self, run: str) -> dict[str, Any]:
        """Return all that there is to say of a run, with its markets.

        Raises
        ------
        Refusal
            When there is no such run.

        """
        flow = self.flow(run)
        [told] = _rows(self._reader.ask(_ONE, run=run))
        for name in ("settings", "summary"):
            told[name] = _object(told[name])
        return {**told, "markets": self._markets(flow, run)}

    def _markets(self, flow: str, run: str) -> list[dict[str, Any]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for row in _plain(self._reader.ask(_MARKETS, flow=flow, run=run)):
            row["step"] = width(row["kind"])
            found.setdefault(row.pop("market"), []).append(row)
        return [{"market": market, "kinds": kinds} for market, kinds in found.items()]


def width(kind: str) -> int | None:
    """Return how many seconds a candle takes; None for kinds that take what they need.

    Examples
    --------
    >>> width("5m"), width("100 trades")
    (300, None)

    """
    found = _TIMED.fullmatch(kind)
    return int(found[1]) * _SECONDS[found[2]] if found else None


def _rows(columns: Columns) -> list[dict[str, Any]]:
    """Return runs one by one, their times under the names of the page."""
    names = {"began": "started", "ended": "finished"}
    return _plain({names.get(name, name): column for name, column in columns.items()})


def _plain(columns: Columns) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _object(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
