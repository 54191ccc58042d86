"""Read history: what it keeps of a log, as strips of each market's tape."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from operator import itemgetter
from typing import NamedTuple, TypeAlias

import pyarrow as pa
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.history.clickhouse import UNREACHABLE, Connect, reason
from connectors.history.rows import Placed, events_of
from connectors.log.again import again, began, check_kept
from connectors.log.log import Bounds, LogError
from connectors.log.offsets import Chunk, Offsets, Place, State, start, strips_of
from connectors.recordings.ahead import Ahead
from connectors.recordings.blocks import BLOCK_ROWS
from connectors.recordings.tracks import Counts, Item, Progress
from connectors.rest import Rest
from connectors.window import ALL, Window
from schemas import OUTSIDE, Event, Instrument, Outside, Trades
from schemas.tables import BORN_ON_TAPE, columns, table

_ROWS = 100_000
"""Read at once, at most, unless a single message has more."""
_WIDEST = 1 << 24
_AS_THEY_ARE = {"final": 0}
"""Where a row that is there twice makes no difference."""

_Kinds: TypeAlias = dict[type[Outside], int]
"""How many rows there are of each kind."""


class HistorySource(FixedPartitionedSource[Item, State]):
    """What history keeps of a log, with the events, places and ids that the log itself gives.

    Trades that were fetched afterwards are no part of it, nor are gaps and rejects that a flow
    concluded. While it is still being written, its end may lack events of some kinds.

    Parameters
    ----------
    connect
        Returns a client that may read.
    log
        The name of the log, which its partitions begin with; may be left out if there is one.
    share
        `(k, n)`: only the partitions whose number is `k` modulo `n`.
    batch
        How many trades of a market are handed out at once, at most.
    window
        What of it is let through.

    Raises
    ------
    LogError
        When history cannot be read, or does not keep one such log; later, too.

    """

    def __init__(
        self,
        connect: Connect,
        log: str = "",
        share: tuple[int, int] = (0, 1),
        batch: int = BLOCK_ROWS,
        window: Window = ALL,
    ) -> None:
        self._connect, self._batch, self._window = connect, batch, window
        k, n = share
        with _told(), closing(connect()) as client:
            kept = _one_log(_kept(client, window), log)
        self._markets = {name: kept[name] for name in sorted(kept) if _number(name) % n == k}
        self._stopped, self._rest = threading.Event(), Rest()
        self._read: Mapping[str, State] = {}
        self.progress = Progress(0)
        self.stretches: dict[str, Bounds] = {}
        """From where to where each partition is read."""

    def again(self, kept: Mapping[str, State]) -> None:
        """Read only what the readers of a log have read, who kept this of its partitions.

        Raises
        ------
        LogError
            When history does not keep all of it.

        """
        with _told(), closing(self._connect()) as client:
            there = {
                name: _Query(client, name, markets, ALL).bounds()
                for name, markets in _kept(client, ALL).items()
                if name in kept
            }
        check_kept(kept, there)
        self._markets = {name: self._markets[name] for name in self._markets if name in kept}
        self._read = kept

    def list_parts(self) -> list[str]:
        """Return the names of the log's partitions."""
        return list(self._markets)

    def owner(self, part: str, market: str, processes: int) -> int:
        """Return which of so many processes has a market of a part."""
        return _number(part) % processes

    def divided(self, part: str, states: Sequence[State], processes: int) -> dict[int, State]:
        """Return what each of so many processes goes on from: one of them has all of a part."""
        [state] = states
        return {self.owner(part, "", processes): state}

    def build_part(
        self, step_id: str, for_part: str, resume_state: State | None
    ) -> StatefulSourcePartition[Item, State]:
        """Return a partition, from where it was on."""
        with _told(), closing(self._connect()) as client:
            query = _Query(client, for_part, self._markets[for_part], self._window)
            first, end = query.bounds()
        read = self._read.get(for_part)
        state = resume_state or (start(began(read), read["first"]) if read else start(first, end))
        if read:
            state["end"] = read["first"]
        counts = self.progress.parts[for_part] = Counts(*state["counts"])
        self.progress.total += counts.read + (state["end"] or 0) - state["first"]
        self.stretches[for_part] = Bounds(began(state), state["end"] or 0)
        chunks = self._ahead(for_part, state)
        if read:
            chunks = again(lambda state: self._ahead(for_part, state), state, read, end)
        return Offsets(chunks, self._batch, state, counts, self._stopped, self._rest)

    def bounds(self, part: str) -> Bounds | None:
        """Return where what is let through of a part begins and ends; None if there is nothing."""
        if part not in self._markets:
            return None
        with _told(), closing(self._connect()) as client:
            return _Query(client, part, self._markets[part], self._window).bounds()

    def reaches(self, part: str, offset: int) -> bool:
        """Tell whether a part is kept up to an offset, whatever of it is let through."""
        with _told(), closing(self._connect()) as client:
            markets = _kept(client, ALL).get(part, [])
            return bool(markets) and _Query(client, part, markets, ALL).bounds().end >= offset

    def stop(self) -> None:
        """Let all partitions end where they are, so that the engine drains and keeps its state."""
        self._stopped.set()

    def _ahead(self, part: str, state: State) -> Generator[Chunk | None, None, None]:
        with closing(Ahead(self.chunks(part, state))) as chunks:
            yield from chunks

    def chunks(self, part: str, state: State) -> Generator[Chunk, None, None]:
        """Read a part from a state on to its end, some rows at once."""
        first, end, texts = state["first"], state["end"] or 0, set(state["texts"])
        width = 256
        with _told(), closing(self._connect()) as client:
            query = _Query(client, part, self._markets[part], self._window)
            while first < end:
                stop = min(first + width, end)
                kinds = query.counts(first, stop)
                if sum(kinds.values()) > _ROWS and width > 1:
                    width //= 2
                    continue
                before = Place(first, sorted(texts))
                found = [placed for kind in kinds for placed in query.events(kind, first, stop)]
                found.sort(key=itemgetter(0, 1))
                strips = strips_of((placed.event for placed in found), self._window, texts)
                yield Chunk(before, Place(stop, sorted(texts)), strips)
                first = stop
                if 2 * sum(kinds.values()) < _ROWS:
                    width = min(2 * width, _WIDEST)


class _Query(NamedTuple):
    """What is asked of one partition."""

    client: Client
    partition: str
    markets: list[str]
    window: Window

    def bounds(self) -> Bounds:
        """Return the first offset, and the one behind the last."""
        each = " UNION ALL ".join(
            f"SELECT min(offset) AS first, max(offset) AS last FROM `{table(kind)}` "  # noqa: S608
            f"WHERE {_where(kind)} AND partition = {{partition:String}} HAVING count() > 0"
            for kind in OUTSIDE
        )
        query = f"SELECT min(first), max(last) + 1 FROM ({each})"  # noqa: S608 - our own tables
        found = self.client.query(query, {"partition": self.partition}, settings=_AS_THEY_ARE)
        return Bounds(*found.result_rows[0])

    def counts(self, first: int, stop: int) -> _Kinds:
        """Return how many rows there are of each kind that has any."""
        query = " UNION ALL ".join(
            f"SELECT {number} AS kind, count() AS rows FROM `{table(kind)}` "  # noqa: S608
            f"WHERE {self._where(kind)}"
            for number, kind in enumerate(OUTSIDE)
        )
        found = self.client.query(query, self._given(first, stop)).result_rows
        return {OUTSIDE[number]: rows for number, rows in sorted(map(tuple, found)) if rows}

    def events(self, kind: type[Outside], first: int, stop: int) -> Iterator[Placed]:
        """Yield the events of a kind."""
        names = ", ".join(f"`{name}`" for name in columns(kind))
        found: pa.Table = self.client.query_arrow(
            f"SELECT {names} FROM `{table(kind)}` WHERE {self._where(kind)} "  # noqa: S608
            f"ORDER BY offset, row",
            self._given(first, stop),
        )
        for rows in found.combine_chunks().to_batches():
            yield from events_of(kind, rows, self.partition)

    def _where(self, kind: type[Outside]) -> str:
        stretch = [
            f"ts {sign} fromUnixTimestamp64Nano({{{name}:Int64}}, 'UTC')"
            for name, sign, time in (
                ("since", ">=", self.window.since),
                ("until", "<", self.window.until),
            )
            if time is not None and not (self.window.heads and kind is Instrument)
        ]
        here = "partition = {partition:String} AND market IN {markets:Array(String)}"
        offsets = "offset >= {first:Int64} AND offset < {stop:Int64}"
        return " AND ".join([_where(kind), here, offsets, *stretch])

    def _given(self, first: int, stop: int) -> dict[str, object]:
        return {
            "partition": self.partition,
            "markets": self.markets,
            "first": first,
            "stop": stop,
            "since": self.window.since or 0,
            "until": self.window.until or 0,
        }


def _where(kind: type[Event]) -> str:
    """Return what rows of a log have, and no others."""
    if kind is Trades:
        return "partition != '' AND NOT backfilled"
    return "partition != '' AND run = ''" if kind in BORN_ON_TAPE else "partition != ''"


def _kept(client: Client, window: Window) -> dict[str, list[str]]:
    """Return the partitions that history has, with their markets."""
    query = " UNION DISTINCT ".join(
        f"SELECT DISTINCT partition, market FROM `{table(kind)}` WHERE {_where(kind)}"  # noqa: S608
        for kind in OUTSIDE
    )
    found: dict[str, list[str]] = {}
    rows = client.query(query, settings=_AS_THEY_ARE).result_rows
    for partition, market in sorted(map(tuple, rows)):
        if window.has_market(market):
            found.setdefault(partition, []).append(market)
    return found


def _one_log(kept: dict[str, list[str]], log: str) -> dict[str, list[str]]:
    """Return the partitions of the log that is meant."""
    names = sorted({_log(partition) for partition in kept})
    if not names:
        raise LogError("history keeps nothing of these markets from a log: see deck ingest")
    if log and log not in names:
        raise LogError(f"history keeps no log {log!r}, but {', '.join(names)}: name one of them")
    if not log and len(names) > 1:
        raise LogError(
            f"history keeps {len(names)} logs, {', '.join(names)}: which of them comes first is "
            f"not known, so name one: --from-clickhouse {names[0]}"
        )
    return {name: markets for name, markets in kept.items() if _log(name) == (log or names[0])}


def _log(partition: str) -> str:
    return partition.rpartition("/")[0]


def _number(partition: str) -> int:
    return int(partition.rpartition("/")[2])


@contextmanager
def _told() -> Iterator[None]:
    """Tell what history's trouble means to who reads it."""
    try:
        yield
    except (*UNREACHABLE, ClickHouseError) as error:
        raise LogError(
            f"history cannot be read ({reason(error)}): see deck history status"
        ) from error
