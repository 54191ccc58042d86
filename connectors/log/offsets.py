"""A part of a source that is read by offset: one partition of a log, from anywhere on."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from datetime import datetime
from time import monotonic, perf_counter
from typing import NamedTuple, TypedDict

from bytewax.inputs import StatefulSourcePartition
from typing_extensions import override

from connectors.recordings.market_ids import settled
from connectors.recordings.strips import Strip
from connectors.recordings.tracks import Counts, Item, Tracks
from connectors.rest import AT_ONCE, Rest
from connectors.window import Window
from schemas import Outside, Trades
from schemas.sealed import sum_of

VERSION = 2
"""Of the state in recovery stores."""
_BLIND_SECONDS = 0.003


class State(TypedDict):
    """The exact position in a partition. It is kept in recovery stores: plain values only."""

    version: int
    end: int | None
    """Where the partition ended when it was first opened, unless it is followed."""
    first: int
    """Where what is being handed out begins."""
    done: dict[str, int]
    """For each market, how many of its trades and other events from there on were handed out."""
    texts: list[str]
    """Markets that had ids which are texts, in front of it."""
    counts: tuple[int, int, int, int]
    markets: list[str]
    """All that were handed out."""
    sum: str
    """The seal of the rest."""


class Place(NamedTuple):
    """Between two messages."""

    offset: int
    texts: list[str]
    """Markets that had ids which are texts, in front of it."""


class Chunk(NamedTuple):
    """The events of some consecutive messages."""

    start: Place
    stop: Place
    strips: dict[str, Strip]


def start(first: int, end: int | None) -> State:
    """Return the state of a partition that is opened first."""
    return State(
        version=VERSION, end=end, first=first, done={}, texts=[], counts=(0, 0, 0, 0),
        markets=[], sum="",
    )  # fmt: skip


def strips_of(events: Iterable[Outside], window: Window, texts: set[str]) -> dict[str, Strip]:
    """Return what is let through of events, market by market; what has texts for ids is noted."""
    strips: dict[str, Strip] = {}
    for event in events:
        for part in window.of(event):
            strip = strips.setdefault(part.market, [])
            strip.extend(settled(part, texts) if isinstance(part, Trades) else (part,))
    return strips


class Offsets(StatefulSourcePartition[Item, State]):
    """Hand out what a partition of a log holds.

    Parameters
    ----------
    chunks
        What it holds, from the state on; `None` where there is nothing for now. It is closed with
        the partition.
    batch
        How many trades of a market are handed out at once, at most.
    state
        Where to go on.
    counts
        Is told how far it is.
    stopped
        Says that it is to end where it is.
    rest
        That of all partitions of the source.

    """

    def __init__(
        self,
        chunks: Generator[Chunk | None, None, None],
        batch: int,
        state: State,
        counts: Counts,
        stopped: threading.Event,
        rest: Rest,
    ) -> None:
        self._chunks, self._batch, self._counts = chunks, batch, counts
        self._stopped, self._rest = stopped, rest
        self._end, self._place = state["end"], Place(state["first"], state["texts"])
        self._chunk: Chunk | None = None
        self._tracks = Tracks({}, state["done"])
        self._markets = set(state["markets"])
        self._due, self._turn = 0.0, rest.turn
        """Until when, and until which rest, there is nothing."""
        rest.join()

    @override
    def next_batch(self) -> list[Item]:
        if self._stopped.is_set():
            raise StopIteration
        if not self._tracks.left:
            chunk = self._look()
            if chunk is None:
                self._rest.nothing()
                return []
            self._chunk, self._place = chunk, chunk.start
            self._tracks = Tracks(chunk.strips, self._tracks.owed)
            self._markets.update(chunk.strips)
        self._rest.came()
        items = self._tracks.items(self._batch, self._counts)
        if not self._tracks.left and self._chunk is not None:
            self._place = self._chunk.stop
            self._counts.read += self._place.offset - self._chunk.start.offset
        return items

    @override
    def next_awake(self) -> datetime | None:
        return AT_ONCE

    @override
    def snapshot(self) -> State:
        tracks, counts = self._tracks, self._counts
        counts.kept = perf_counter()
        state = State(
            version=VERSION,
            end=self._end,
            first=self._place.offset,
            done=tracks.done if tracks.left else tracks.owed,
            texts=self._place.texts,
            counts=(counts.trades, counts.rejects, counts.rows, counts.read),
            markets=sorted(self._markets),
            sum="",
        )
        return State({**state, "sum": sum_of(state)})

    @override
    def close(self) -> None:
        self._chunks.close()
        self._rest.leave()

    def _look(self) -> Chunk | None:
        """Return what comes next, or nothing: a look that found nothing counts for a moment."""
        rest, now = self._rest, monotonic()
        if self._turn == rest.turn and now < self._due:
            return None
        chunk = next(self._chunks)
        if chunk is None:
            self._turn, self._due = rest.turn, now + _BLIND_SECONDS
        return chunk
