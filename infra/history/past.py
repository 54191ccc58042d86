"""History for people: any table or view of it as Arrow, with aware UTC times."""

from __future__ import annotations

import re
import time
from datetime import date, datetime, timedelta, timezone
from functools import partialmethod
from typing import TYPE_CHECKING, TypeAlias, TypedDict

import pyarrow as pa
from clickhouse_connect.driver.binding import quote_identifier

from infra.history.history import History
from infra.history.home import HistoryError
from infra.history.past_question import Question, Wanted
from infra.history.spread import spread
from infra.history.topics import TOPICS, Topic
from infra.settings import Settings
from infra.times import TimeError, parse_time
from infra.verify.which import which
from schemas import Time

if TYPE_CHECKING:
    import pandas
    import polars
    from typing_extensions import Unpack

When: TypeAlias = str | datetime
"""Such as `2h` (ago), `2026-11-01`, or an aware datetime."""

_ID = re.compile("[0-9a-f]{32}")
_EPOCH = datetime.fromtimestamp(0, timezone.utc)


class Asked(TypedDict, total=False):
    """Which rows of a table are wanted; see `Past.table`."""

    market: str | None
    flow: str | None
    run: str | None
    since: When | None
    until: When | None
    last: int | None


class Past:
    """What history keeps, asked as its reader, until it is closed.

    Parameters
    ----------
    settings
        Which history; None reads the environment.

    """

    def __init__(self, settings: Settings | None = None) -> None:
        history = History(settings)
        self.home = history.settings.home
        self.client = history.client("reader")

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
            Such as `candles` or `equity`; `deck history` lists them.
        market, flow
            Whose.
        run
            Of which run: its id, or how that begins; or the name of a flow or a deployment, for its
            latest.
        since, until
            From a time on, and in front of one.
        last
            Only so many of the last.
        exact
            Money as decimals; else as floats.

        Raises
        ------
        HistoryError
            When there is no such table or run, or the table has no such column.

        """
        wanted = self.wanted(market, flow, run, since, until, last)
        query, parameters = self.question(name, wanted)
        found = self.client.query_arrow(query, parameters, use_strings=True)
        return found if exact else _floats(found)

    def pandas(self, name: str, *, exact: bool = True, **asked: Unpack[Asked]) -> pandas.DataFrame:
        """Return rows as a data frame of pandas; see `table`.

        Times are aware, money `Decimal` unless `exact` is false. Numbers by name, such as averages
        and features, are columns.
        """
        found: pandas.DataFrame = spread(self.table(name, exact=exact, **asked)).to_pandas()
        return found

    def polars(self, name: str, **asked: Unpack[Asked]) -> polars.DataFrame:
        """Return rows as a data frame of Polars; see `pandas`.

        Money is floats: Polars has no decimals as wide as the events'.
        """
        import polars  # noqa: PLC0415 - who does not want it need not have it

        return polars.DataFrame(spread(self.table(name, exact=False, **asked)))

    runs = partialmethod(table, "runs")
    results = partialmethod(table, "results")
    candles = partialmethod(table, "candles")
    averages = partialmethod(table, "averages")
    predictions = partialmethod(table, "predictions")
    outcomes = partialmethod(table, "outcomes")
    decisions = partialmethod(table, "decisions")
    fills = partialmethod(table, "fills")
    positions = partialmethod(table, "positions")
    daily = partialmethod(table, "daily")
    equity = partialmethod(table, "equity")
    order_costs = partialmethod(table, "order_costs")
    slippage = partialmethod(table, "slippage")
    execution_gap = partialmethod(table, "execution_gap")
    calibration = partialmethod(table, "calibration")
    model_metrics = partialmethod(table, "model_metrics")
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
        whole = run if not run or _ID.fullmatch(run) else which(run, self.client, self.home).run
        return Wanted(market, flow, whole, _time(since, now), _time(until, now), last)

    def question(self, name: str, wanted: Wanted, *, brief: bool = False) -> Question:
        """Return the SELECT for what is wanted of a table; see `Wanted.of`."""
        relation, columns, topic = self._relation(name)
        return wanted.of(relation, columns, topic, brief=brief)

    def span(self, name: str, wanted: Wanted) -> tuple[date, date, int] | None:
        """Return the first time of a table's rows, the last and how many, if it has any.

        They are those of whatever time: only the market, flow and run that are wanted count.
        """
        question = wanted.span(*self._relation(name))
        if question is None:
            return None
        [(first, last, count)] = self.client.query(*question).result_rows
        return (first, last, count) if count else None

    def _relation(self, name: str) -> tuple[str, list[str], Topic]:
        """Return which table or view answers, and its columns."""
        topic = TOPICS.get(name, Topic(""))
        relation = topic.relation or name
        if relation not in (tables := self.tables()):
            known = sorted({*TOPICS, *tables})
            raise HistoryError(f"history has no table {name!r}; there are {', '.join(known)}")
        rows = self.client.query(f"DESCRIBE TABLE {quote_identifier(relation)}").result_rows
        return relation, [str(row[0]) for row in rows], topic

    def close(self) -> None:
        """Let go of the connection."""
        self.client.close()


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
