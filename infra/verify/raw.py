"""Whether history keeps the trades that a run has read, one by one, as the log has them.

The rows that history should have are made from the log, as `deck ingest` makes them, and compared
with those that it has: every column of each, and no row more or less.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from itertools import zip_longest
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client

from connectors.log.log import Log
from connectors.log.messages import said
from infra.times import write_time
from schemas import SECOND, Time, Trades
from schemas.tables import columns, outside_block

_ROWS = 50_000
"""Compared at once, and a message more."""
_MESSAGES = 1_000
_LOOK_SECONDS = 0.1
_TRADES = b'"Trades"'
_NAMES = ", ".join(f"`{name}`" for name in columns(Trades))
_TIMES = ("ts", "received")
_HERE = "market IN {markets:Array(String)} AND partition = {partition:String}"
_LAST = f"SELECT if(count() = 0, -1, max(`offset`)) FROM trades WHERE {_HERE}"  # noqa: S608 - ours
_KEPT = f"""
SELECT {_NAMES} FROM trades FINAL
WHERE {_HERE} AND `offset` >= {{first:Int64}} AND `offset` < {{end:Int64}} ORDER BY `offset`, row
"""  # noqa: S608 - our own text

Row: TypeAlias = dict[str, Any]


class Odd(NamedTuple):
    """The first trade that is not the same in the log and in history."""

    log: Row | None
    """As the log has it; None if it has none there."""
    history: Row | None

    @property
    def at(self) -> Row:
        """The one that there is."""
        return self.log or self.history or {}

    def lines(self) -> Iterator[str]:
        """Yield what there is to see."""
        place = "{market}, log {partition} offset {offset} row {row}".format_map(self.at)
        yield f"the first trade that history has not as the log has it: {place}"
        ours, theirs = self.log, self.history
        if ours is None or theirs is None:
            yield f"{'in the log':>14}: {_shown(ours)}"
            yield f"{'in history':>14}: {_shown(theirs)}"
            return
        for name in ours:
            if ours[name] != theirs[name]:
                yield f"{name:>14}: in the log {_one(ours, name)}, in history {_one(theirs, name)}"


class Raw(NamedTuple):
    """What became of the comparison."""

    trades: int
    """So many are the same."""
    missing: int = 0
    """So many of the last ones history has not got yet."""
    old: int = 0
    """So many are older than history need keep them."""
    odd: Odd | None = None


def raw(
    client: Client, log: Log, parts: Mapping[str, tuple[int, int]], markets: Collection[str],
    since: Time, patience: float,
) -> Raw | None:  # fmt: skip
    """Compare the trades of a stretch of a log with history's; None if that has none of its.

    Parameters
    ----------
    client
        Reads history.
    log
        What the run has read.
    parts
        From which offset to which, of each partition.
    markets
        Whose trades.
    since
        What is older is left out, for history need not have it any more.
    patience
        Seconds in which history may yet come to have the last ones.

    """
    kept = _Kept(client, [*markets], since, time.monotonic() + patience, {})
    if max([kept.last(part) for part in parts]) < 0:
        return None  # such as of a simulated market
    same = missing = old = 0
    for part, (first, end) in sorted(parts.items()):
        for begin, stop, ours in _blocks(log, part, first, end, markets):
            last = kept.awaited(part, ours)
            there = ours.filter(pc.less_equal(ours["offset"], last))
            # What came since then is as unseen as what has not come yet.
            young, theirs = kept.young(there), kept.rows(part, begin, min(stop, last + 1))
            if not young.equals(theirs):
                return Raw(same, missing, old, _first(young, theirs))
            same += young.num_rows
            missing += ours.num_rows - there.num_rows
            old += there.num_rows - young.num_rows
    return Raw(same, missing, old)


class _Kept(NamedTuple):
    """What history keeps of some markets."""

    client: Client
    markets: list[str]
    since: Time
    deadline: float
    lasts: dict[str, int]
    """What was asked already: it takes long in a long history."""

    def last(self, part: str) -> int:
        """Return the last offset of a partition; -1 if there is nothing of it."""
        found = int(self.client.query(_LAST, self._given(part)).result_rows[0][0])
        self.lasts[part] = found
        return found

    def awaited(self, part: str, ours: pa.Table) -> int:
        """Return the last offset, once that of our rows is there, or all patience was in vain."""
        wanted = ours["offset"][-1].as_py() if ours.num_rows else -1
        last = self.lasts[part]
        while last < wanted and time.monotonic() < self.deadline:
            time.sleep(_LOOK_SECONDS)
            last = self.last(part)
        return last

    def rows(self, part: str, first: int, end: int) -> pa.Table:
        """Return its trades from an offset up to another."""
        given = {**self._given(part), "first": first, "end": end}
        return self.young(self.client.query_arrow(_KEPT, given, use_strings=True))

    def young(self, rows: pa.Table) -> pa.Table:
        """Return rows in a form of their own, with whole numbers for times, but for old ones."""
        forms = columns(Trades).items()
        rows = rows.select([name for name, _ in forms])
        rows = rows.cast(pa.schema({name: form.arrow for name, form in forms}))
        for name in _TIMES:
            at = rows.schema.get_field_index(name)
            rows = rows.set_column(at, name, rows[name].cast(pa.int64()))
        return rows.filter(pc.greater_equal(rows["ts"], self.since)).combine_chunks()

    def _given(self, part: str) -> dict[str, object]:
        return {"markets": self.markets, "partition": part}


def _blocks(
    log: Log, part: str, first: int, end: int, markets: Collection[str]
) -> Iterator[tuple[int, int, pa.Table]]:
    """Yield the rows that a stretch of a partition makes, some at once, and where they stand."""
    with closing(log.open(part, first)) as cursor:
        held: list[Trades] = []
        at = begin = first
        while at < end:
            entries = cursor.read(_MESSAGES)
            if not entries:
                cursor.wait(_LOOK_SECONDS)
                continue
            for entry in entries:
                if entry.offset < end and entry.market in markets and _TRADES in entry.message:
                    event = said(entry, part).event
                    held += [event] if isinstance(event, Trades) else []
            at = min(entries[-1].offset + 1, end)
            if at == end or sum(map(len, held)) >= _ROWS:
                yield begin, at, pa.Table.from_batches([outside_block(Trades, held)])
                begin, held = at, []


def _first(ours: pa.Table, theirs: pa.Table) -> Odd:
    """Return the first row that differs, of rows in the order of the log."""
    for one, other in zip_longest(ours.to_pylist(), theirs.to_pylist()):
        if one == other:
            continue
        if one is None or other is None:
            return Odd(one, other)
        place, there = _place(one), _place(other)
        return Odd(one if place <= there else None, other if there <= place else None)
    raise AssertionError((ours, theirs))


def _place(row: Row) -> tuple[int, int]:
    return row["offset"], row["row"]


def _shown(row: Row | None) -> str:
    if row is None:
        return "nothing"
    return ", ".join(f"{name} {_one(row, name)}" for name in ("ts", "price", "size", "side", "id"))


def _one(row: Row, name: str) -> str:
    value = row[name]
    if name in _TIMES and value is not None:
        return f"{write_time(value)}.{value % SECOND:09d}"
    return repr(value)
