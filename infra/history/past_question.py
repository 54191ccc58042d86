"""What people ask of one table or view of history, as one SELECT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from clickhouse_connect.driver.binding import quote_identifier

from infra.history.home import HistoryError
from infra.history.topics import Topic
from schemas import Time

_TIMES = ("ts", "hour", "day", "started", "at", "start")
"""Which column is a table's time: the first of these that it has."""
_ROUNDED = {"hour": "toStartOfHour({})", "day": "toDate({})"}
_IDS = ("flow", "run", "market", "seq", "position", "bin", "currency", "name")
_POSITION = "flow, run, market, position"
_BOUNDS = (("since", ">="), ("until", "<"))
_PLACE = ("market", "partition", "offset", "row")
_NANOSECONDS = "fromUnixTimestamp64Nano({{{}:Int64}}, 'UTC')"


class Question(NamedTuple):
    """A SELECT, and the values of its parameters."""

    query: str
    parameters: dict[str, object]


@dataclass(frozen=True)
class Wanted:
    """Which rows of a table are wanted; None is all of them.

    Parameters
    ----------
    market, flow, run
        Whose.
    since, until
        From a time on, and in front of one. A day or an hour that `since` falls into counts whole.
    last
        Only so many of the last.

    """

    market: str | None = None
    flow: str | None = None
    run: str | None = None
    since: Time | None = None
    until: Time | None = None
    last: int | None = None

    def of(
        self, table: str, columns: Sequence[str], topic: Topic, *, brief: bool = False
    ) -> Question:
        """Return the question to a table.

        Parameters
        ----------
        table, columns
            Its name, and those of its columns.
        topic
            What it answers.
        brief
            Leave out what is the same in all rows, and shorten runs: they are to be looked at.

        Raises
        ------
        HistoryError
            When it has no such column.

        """
        tests, parameters = self._tests(table, columns)
        tests += self._narrowed(topic)
        query = f"SELECT * FROM {quote_identifier(table)}"  # noqa: S608 - all values are parameters
        if tests:
            query += f" WHERE {' AND '.join(tests)}"
        order = _order(columns)
        if self.last is not None and order:
            newest = ", ".join(f"{name} DESC" for name in order)
            query = f"SELECT * FROM ({query} ORDER BY {newest} LIMIT {self.last:d})"  # noqa: S608 - names are quoted
        query += f" ORDER BY {', '.join(order)}" if order else ""
        if brief:
            query = f"SELECT {self._shown(columns)} FROM ({query})"  # noqa: S608 - as above
        return Question(query, parameters)

    def span(self, table: str, columns: Sequence[str], topic: Topic) -> Question | None:
        """Return the question between which times there are rows, whichever are wanted.

        It answers with the first time, the last and how many; None if the table has no time.
        """
        time = _time(columns)
        if time is None:
            return None
        anytime = replace(self, since=None, until=None, last=None)
        query, parameters = anytime.of(table, columns, topic)
        name = quote_identifier(time)
        return Question(f"SELECT min({name}), max({name}), count() FROM ({query})", parameters)  # noqa: S608 - as above

    def _tests(self, table: str, columns: Sequence[str]) -> tuple[list[str], dict[str, object]]:
        tests: list[str] = []
        parameters: dict[str, object] = {}
        for name in ("market", "flow", "run"):
            if (value := getattr(self, name)) is not None:
                if name not in columns:
                    raise HistoryError(f"{table} are of no {name}: leave {name} {value!r} away")
                tests.append(f"{name} = {{{name}:String}}")
                parameters[name] = value
        time = _time(columns)
        for name, is_so in _BOUNDS:
            if (at := getattr(self, name)) is not None:
                if time is None:
                    raise HistoryError(f"{table} has no time: leave {name} away")
                bound = _NANOSECONDS.format(name)
                rounded = _ROUNDED.get(time, "{}") if name == "since" else "{}"
                tests.append(f"{quote_identifier(time)} {is_so} {rounded.format(bound)}")
                parameters[name] = at
        return tests, parameters

    def _narrowed(self, topic: Topic) -> list[str]:
        """Return what spares a view the positions that did not change in the stretch of time."""
        bounds = [
            f"ts {is_so} {_NANOSECONDS.format(name)}"
            for name, is_so in _BOUNDS
            if getattr(self, name) is not None
        ]
        if not bounds or not topic.changed_in:
            return []
        changed = " UNION ALL ".join(
            f"SELECT {_POSITION} FROM {name} WHERE {' AND '.join(bounds)}"  # noqa: S608 - names and parameters
            for name in topic.changed_in
        )
        return [f"({_POSITION}) IN ({changed})"]

    def _shown(self, columns: Sequence[str]) -> str:
        """Return what of the rows is worth a look."""
        same = [name for name in ("flow", "run", "market") if getattr(self, name) is not None]
        if "name" in columns:  # a position's says whose it is
            same = list(dict.fromkeys((*same, "run", "market", "position")))
        shown = "*" if not same else f"* EXCEPT ({', '.join(same)})"
        short = "run" in columns and "run" not in same
        return f"{shown} REPLACE (left(run, 8) AS run)" if short else shown


def _time(columns: Sequence[str]) -> str | None:
    return next((name for name in _TIMES if name in columns), None)


def _order(columns: Sequence[str]) -> list[str]:
    """Return what puts rows in order: the place in the log, or the time and then the id."""
    if "offset" in columns and "seq" not in columns:
        names: Sequence[str] = _PLACE
    else:
        time = _time(columns)
        names = [*([time] if time else []), *_IDS]
    return [quote_identifier(name) for name in names if name in columns]
