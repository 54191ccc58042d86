"""History for people: any table or view of it as Arrow, with aware UTC times."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import partialmethod
from typing import TypeAlias

import pyarrow as pa
from clickhouse_connect.driver.binding import quote_identifier

from infra.history.history import History
from infra.history.home import HistoryError
from infra.history.past_question import Question, Wanted
from infra.settings import Settings
from infra.times import TimeError, parse_time
from schemas import Time

When: TypeAlias = str | datetime
"""Such as `2h` (ago), `2026-11-01`, or an aware datetime."""

_WHOLE = 32
"""Characters of a run's id."""
_SHOWN = 5
"""How many runs are named when several begin alike."""
_EPOCH = datetime.fromtimestamp(0, timezone.utc)


class Past:
    """What history keeps, asked as its reader, until it is closed.

    Parameters
    ----------
    settings
        Which history; None reads the environment.

    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.client = History(settings).client("reader")

    def table(
        self,
        name: str,
        *,
        market: str | None = None,
        flow: str | None = None,
        run: str | None = None,
        since: When | None = None,
        until: When | None = None,
        last: int | None = None,
        exact: bool = True,
    ) -> pa.Table:
        """Return rows of a table or view, in the order of the tape.

        Parameters
        ----------
        name
            Such as `candles` or `equity`; `tables` lists them.
        market, flow, run
            Whose; of a run the first characters do.
        since, until
            From a time on, and in front of one.
        last
            Only so many of the last.
        exact
            Money as decimals; else as floats, which Polars needs and a chart draws faster.

        Raises
        ------
        HistoryError
            When there is no such table or run, or the table has no such column.

        """
        wanted = self.wanted(market, flow, run, since, until, last)
        query, parameters = self.question(name, wanted)
        found = self.client.query_arrow(query, parameters, use_strings=True)
        return found if exact else _floats(found)

    candles = partialmethod(table, "candles")
    averages = partialmethod(table, "averages")
    predictions = partialmethod(table, "predictions")
    outcomes = partialmethod(table, "outcomes")
    decisions = partialmethod(table, "decisions")
    fills = partialmethod(table, "fills")
    positions = partialmethod(table, "positions")
    daily = partialmethod(table, "daily")
    equity = partialmethod(table, "equity")
    troubles = partialmethod(table, "troubles")

    def tables(self) -> list[str]:
        """Return the names of all tables and views."""
        return [str(name) for (name,) in self.client.query("SHOW TABLES").result_rows]

    def wanted(
        self,
        market: str | None,
        flow: str | None,
        run: str | None,
        since: When | None,
        until: When | None,
        last: int | None,
    ) -> Wanted:
        """Read what somebody wrote: times as times, the beginning of a run as that run."""
        if last is not None and last < 1:
            raise HistoryError(f"last {last}: how many rows, at least 1; all of them without it")
        now = time.time_ns()
        whole = self._run(run) if run and len(run) < _WHOLE else run
        return Wanted(market, flow, whole, _time(since, now), _time(until, now), last)

    def question(self, name: str, wanted: Wanted, *, brief: bool = False) -> Question:
        """Return the SELECT for what is wanted of a table; see `Wanted.of`."""
        if name not in (names := self.tables()):
            raise HistoryError(f"history has no table {name!r}; there are {', '.join(names)}")
        rows = self.client.query(f"DESCRIBE TABLE {quote_identifier(name)}").result_rows
        return wanted.of(name, [str(row[0]) for row in rows], brief=brief)

    def close(self) -> None:
        """Let go of the connection."""
        self.client.close()

    def _run(self, beginning: str) -> str:
        query = "SELECT DISTINCT run FROM runs WHERE startsWith(run, {run:String}) ORDER BY run"
        found = [str(run) for (run,) in self.client.query(query, {"run": beginning}).result_rows]
        if len(found) != 1:
            which = _named(found) if found else "deck history show runs lists them"
            what = "several runs begin" if found else "no run begins"
            raise HistoryError(f"{what} with {beginning!r}: {which}")
        return found[0]


def _named(runs: Sequence[str]) -> str:
    more = f" and {len(runs) - _SHOWN} more" if len(runs) > _SHOWN else ""
    return ", ".join(runs[:_SHOWN]) + more


def _time(when: When | None, now: Time) -> Time | None:
    if when is None or isinstance(when, str):
        return None if when is None else parse_time(when, now)
    if when.tzinfo is None:
        raise TimeError(f"time {when!r} has no zone: give it tzinfo=timezone.utc")
    return (when - _EPOCH) // timedelta(microseconds=1) * 1_000


def _floats(table: pa.Table) -> pa.Table:
    """Return a table with its decimals as floats."""
    fields = [field.with_type(_float(field.type)) for field in table.schema]
    return table.cast(pa.schema(fields))


def _float(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.MapType):
        return pa.map_(kind.key_type, _float(kind.item_type))
    return pa.float64() if pa.types.is_decimal(kind) else kind
