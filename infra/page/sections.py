"""What the page shows of a run beside its candles, each a question to history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.page.asked import LATEST
from infra.page.reader import Columns, Reader
from infra.page.runs import Runs

ROWS = 200
POINTS = 1_000
HOURS = 24
"""What is counted of a feed is so old at most."""
_PAYLOAD = 2_000
"""Characters of what could not be read, or of a traceback."""
_METRIC_HOURS = 2_000
_ALL = "flow = {flow:String} AND run = {run:String}"
_OF = f"{_ALL} AND ({{market:String}} = '' OR market = {{market:String}})"

_POSITIONS = f"""
SELECT
    concat(left(run, 8), ':', market, ':', toString(position)) AS id,
    market, position, side, toString(amount) AS amount_, toString(entry) AS entry_,
    toString(exit) AS exit_, toUnixTimestamp64Milli(opened) AS began,
    toUnixTimestamp64Milli(closed) AS ended, reason, why,
    toString(pnl) AS pnl_, toString(fees) AS fees_, toString(funding) AS funding_, net_return,
    stop, take, trailing, toUnixTimestamp64Milli(deadline) AS until
FROM positions
WHERE {_OF} AND opened < fromUnixTimestamp64Milli({{until:Int64}})
    AND (closed IS NULL OR closed >= fromUnixTimestamp64Milli({{since:Int64}}))
ORDER BY closed IS NULL DESC, ts DESC, market, position DESC LIMIT {{limit:UInt32}}
"""  # noqa: S608 - all values are parameters
_POSITION_NAMES = {
    "amount_": "amount", "entry_": "entry", "exit_": "exit", "began": "opened", "ended": "closed",
    "pnl_": "pnl", "fees_": "fees", "funding_": "funding", "until": "deadline",
}  # fmt: skip

_SIGNALS = f"""
SELECT seq, toUnixTimestamp64Milli(ts) AS time, market, what, action, why FROM
(
    SELECT seq, ts, market, 'signal' AS what, action, reason AS why FROM signals WHERE {_OF}
    UNION ALL
    SELECT seq, ts, market, 'refused', action, why FROM refused WHERE {_OF}
    UNION ALL
    SELECT seq, ts, market, 'halt', state, why FROM halts WHERE {_OF}
)
ORDER BY ts DESC, seq DESC, market LIMIT {{limit:UInt32}}
"""  # noqa: S608 - as above

_EQUITY = f"""
SELECT
    currency, intDiv(place * {{points:UInt32}}, whole) AS part,
    toUnixTimestamp64Milli(max(ts)) AS time, toFloat64(argMax(equity, place)) AS equity_,
    toFloat64(max(drawdown)) AS drawdown_, max(whole) AS positions,
    toString(argMax(equity, place)) AS pnl
FROM
(
    SELECT
        currency, ts, equity, drawdown,
        row_number() OVER (PARTITION BY currency ORDER BY ts, market, seq) - 1 AS place,
        count() OVER (PARTITION BY currency) AS whole
    FROM equity WHERE {_ALL}
)
GROUP BY currency, part ORDER BY currency, part
"""  # noqa: S608 - as above

_LINE = {"time": "time", "equity": "equity_", "drawdown": "drawdown_"}

_METRICS = f"""
SELECT
    toUnixTimestamp64Milli(hour) AS time, sum(m.outcomes) AS outcomes_,
    sum(m.odds * m.outcomes) / outcomes_ AS odds_, sum(m.won * m.outcomes) / outcomes_ AS won_,
    sum(m.log_loss * m.outcomes) / outcomes_ AS log_loss_,
    sum(m.base_log_loss * m.outcomes) / outcomes_ AS base_log_loss_
FROM model_metrics AS m WHERE {_OF}
GROUP BY hour ORDER BY hour DESC LIMIT {_METRIC_HOURS}
"""  # noqa: S608 - as above
_CALIBRATION = f"""
SELECT
    bin, sum(c.outcomes) AS outcomes_, sum(c.odds * c.outcomes) / outcomes_ AS odds_,
    sum(c.won * c.outcomes) / outcomes_ AS won_
FROM calibration AS c WHERE {_OF}
GROUP BY bin ORDER BY bin
"""  # noqa: S608 - as above

_NEAR = f"""(flow = '' AND market IN (
    SELECT DISTINCT market FROM candles WHERE {_ALL} SETTINGS final = 0
))"""  # noqa: S608 - as above
"""What was found while it was taken in is of no flow."""
_TROUBLES = f"""
SELECT seq, toUnixTimestamp64Milli(ts) AS time, market, kind, what, left(text, {_PAYLOAD}) AS detail
FROM
(
    SELECT seq, ts, market, 'fault' AS kind, concat(where, ': ', error) AS what, traceback AS text
    FROM faults WHERE {_OF}
    UNION ALL
    SELECT
        seq, ts, market, 'gap',
        concat(why, ': ', toString(start), ' to ', toString(end)), ''
    FROM gaps WHERE {_OF} OR {_NEAR}
    UNION ALL
    SELECT seq, ts, market, 'reject', why, payload FROM rejects WHERE {_OF} OR {_NEAR}
    UNION ALL
    SELECT seq, ts, market, 'late', concat('a trade of ', toString(stamp)), ''
    FROM lates WHERE {_OF}
    UNION ALL
    SELECT seq, ts, market, 'halt', concat(state, ': ', why), '' FROM halts WHERE {_OF}
)
WHERE ({{kind:String}} = '' OR kind = {{kind:String}})
    AND ({{market:String}} = '' OR market = {{market:String}})
ORDER BY ts DESC, seq DESC, market LIMIT {{limit:UInt32}}
"""  # noqa: S608 - as above

_BOOK = """
SELECT
    toUnixTimestamp64Milli(ts) AS time,
    arraySlice(bids, 1, 10) AS bids_, arraySlice(asks, 1, 10) AS asks_
FROM books WHERE market = {market:String} ORDER BY partition DESC, offset DESC, row DESC LIMIT 1
"""


class Sections:
    """Parts of the page, each as JSON has it.

    Parameters
    ----------
    reader, runs
        Ask history.

    """

    def __init__(self, reader: Reader, runs: Runs) -> None:
        self._reader, self._runs = reader, runs

    def positions(
        self, run: str, market: str | None, since: int = 0, until: int = LATEST, limit: int = ROWS
    ) -> dict[str, Any]:
        """Return positions that were open between two times; those that still are come first."""
        found = self._of(_POSITIONS, run, market, since=since, until=until, limit=limit + 1)
        return _cut("positions", _named(found, _POSITION_NAMES), limit)

    def signals(self, run: str, market: str | None, limit: int = ROWS) -> dict[str, Any]:
        """Return what the rule wanted, and what was refused, the newest first."""
        return _cut("signals", self._of(_SIGNALS, run, market, limit=limit + 1), limit)

    def equity(self, run: str, points: int = POINTS) -> dict[str, Any]:
        """Return what a run has made, each currency by itself, in so many points at most."""
        found = self._of(_EQUITY, run, None, points=points)
        currencies: dict[str, dict[str, Any]] = {}
        for place, currency in enumerate(found["currency"]):
            line = currencies.setdefault(currency, {"time": [], "equity": [], "drawdown": []})
            for name, column in _LINE.items():
                line[name].append(found[column][place])
            line["positions"], line["pnl"] = found["positions"][place], found["pnl"][place]
            line["worst"] = max(line["drawdown"])
        return {"currencies": currencies}

    def model(self, run: str, market: str | None) -> dict[str, Any]:
        """Return what a model knew, hour by hour, and whether its odds can be believed."""
        metrics = _named(self._of(_METRICS, run, market))
        calibration = _named(self._of(_CALIBRATION, run, market))
        return {
            "metrics": {name: column[::-1] for name, column in metrics.items()},
            "calibration": calibration,
        }

    def troubles(
        self, run: str, market: str | None, kind: str | None = None, limit: int = 100
    ) -> dict[str, Any]:
        """Return what went wrong, the newest first."""
        found = self._of(_TROUBLES, run, market, kind=kind or "", limit=limit + 1)
        return _cut("troubles", found, limit)

    def book(self, market: str) -> dict[str, Any] | None:
        """Return the latest book that history has of a market."""
        found = _named(self._reader.ask(_BOOK, market=market))
        if not found["time"]:
            return None
        return {
            "time": found["time"][0],
            "source": "history",
            **{side: [[*level.values()] for level in found[side][0]] for side in ("bids", "asks")},
        }

    def _of(self, query: str, run: str, market: str | None, **values: object) -> Columns:
        flow = self._runs.flow(run)
        return self._reader.ask(query, flow=flow, run=run, market=market or "", **values)


def _cut(name: str, found: Columns, limit: int) -> dict[str, Any]:
    """Return rows without the one that only tells that there are more."""
    more = any(len(column) > limit for column in found.values())
    return {"more": more, name: {column: rows[:limit] for column, rows in found.items()}}


def _named(found: Columns, names: Mapping[str, str] | None = None) -> Columns:
    """Return columns by the page's names: in a query a column may not be called what it is of."""
    given = names or {}
    return {given.get(name, name.removesuffix("_")): column for name, column in found.items()}
