"""Read a log: an SQLite file or Kafka, as strips of each market's tape."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Protocol

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from connectors.log.again import again, began, check_kept
from connectors.log.log import Bounds, Log
from connectors.log.messages import said
from connectors.log.offsets import Chunk, Offsets, Place, State, start, strips_of
from connectors.recordings.blocks import BLOCK_ROWS
from connectors.recordings.tracks import Counts, Item, Progress
from connectors.rest import Rest
from connectors.window import ALL, Window
from schemas import SECOND, Time

_MESSAGES = 100
"""Read at once."""
_MARGIN: Time = 3_600 * SECOND
"""How far the exchange's stamp of an event may be from our clock when it was appended."""


def _nothing() -> None:
    """Nobody wants to know."""


def _never() -> bool:
    """Tell that there is no end to what is appended."""
    return False


class Earlier(Protocol):
    """What is kept elsewhere of a log from before it begins."""

    def first(self, part: str, stop: int) -> int | None:
        """Return the offset from which on it has a part up to `stop`; None if it has not."""
        ...

    def chunks(self, part: str, first: int, stop: int, texts: Iterable[str]) -> Iterator[Chunk]:
        """Yield a part from an offset up to another."""
        ...


class LogSource(FixedPartitionedSource[Item, State]):
    """A log as strips of each market's tape, partition by partition.

    A message that cannot be read is a `Reject` in its place. Each event has its place in the log:
    partition, offset and row.

    Parameters
    ----------
    log
        The log; whoever opened it closes it.
    share
        `(k, n)`: only every `n`th partition, from the `k`th on.
    batch
        How many trades of a market are handed out at once, at most.
    follow
        Whether to wait at the end for what is appended later, until `stop`; else each partition
        ends where it ended when it was first opened.
    window
        What of it is let through.
    over
        Tells whether nothing more will be appended: then who follows ends at the end.
    earlier
        Has what is wanted and the log does not keep any more.

    Raises
    ------
    LogError
        When the log cannot be read, or does not keep any more what is next; later, too.

    """

    def __init__(
        self,
        log: Log,
        share: tuple[int, int] = (0, 1),
        batch: int = BLOCK_ROWS,
        follow: bool = False,
        window: Window = ALL,
        over: Callable[[], bool] = _never,
        earlier: Earlier | None = None,
    ) -> None:
        k, n = share
        self._log, self._batch, self._follow = log, batch, follow
        self._window, self._over, self._earlier = window, over, earlier
        self._parts = log.partitions()[k::n]
        self._stopped, self._rest = threading.Event(), Rest(log.waker() if follow else None)
        self._kept: Mapping[str, State] = {}
        self.progress = Progress(0)
        self.lags: dict[str, int] = {}
        """Of a log that is followed: how many messages of each partition are to be read yet."""
        self.stretches: dict[str, Bounds] = {}
        """Of a log that is not: from where to where each partition is read."""
        self.pulse: Callable[[], None] = _nothing
        """Called as often as the engine's loop turns, whether anything comes or not."""

    def list_parts(self) -> list[str]:
        """Return the names of the partitions."""
        return self._parts

    def owner(self, part: str, market: str, processes: int) -> int:
        """Return which of so many processes has a market of a part."""
        return self._log.partitions().index(part) % processes

    def divided(self, part: str, states: Sequence[State], processes: int) -> dict[int, State]:
        """Return what each of so many processes goes on from: one of them has all of a part."""
        [state] = states
        return {self.owner(part, "", processes): state}

    def again(self, kept: Mapping[str, State]) -> None:
        """Read only what other readers have read, who kept this of their partitions.

        Raises
        ------
        LogError
            When the log has not all of it any more.

        """
        names = self._log.partitions()
        check_kept(kept, {name: self._log.bounds(name) for name in names})
        self._parts = [name for name in self._parts if name in kept]
        self._kept = kept

    def build_part(
        self, step_id: str, for_part: str, resume_state: State | None
    ) -> StatefulSourcePartition[Item, State]:
        """Return a partition, from where it was on.

        Raises
        ------
        LogError
            When the log cannot be read.

        """
        state = resume_state or self._start(for_part)
        kept = self._kept.get(for_part)
        if self._follow:
            state["end"] = None
        elif kept:
            state["end"] = kept["first"]
        elif state["end"] is None:
            state["end"] = self._log.bounds(for_part).end
        counts = self.progress.parts[for_part] = Counts(*state["counts"])
        if state["end"] is not None:
            self.progress.total += counts.read + state["end"] - state["first"]
            self.stretches[for_part] = Bounds(began(state), state["end"])
        chunks = self._chunks(for_part, state)
        if kept:
            end = self._log.bounds(for_part).end
            chunks = again(lambda state: self._chunks(for_part, state), state, kept, end)
        return Offsets(chunks, self._batch, state, counts, self._stopped, self._rest)

    def stop(self) -> None:
        """Let all partitions end where they are, so that the engine drains and keeps its state."""
        self._stopped.set()

    def _start(self, part: str) -> State:
        if kept := self._kept.get(part):
            return start(began(kept), kept["first"])
        bounds = self._log.bounds(part)
        if self._window.since is None:
            return start(bounds.first, bounds.end)
        near = self._log.offset_at(part, self._window.since - _MARGIN)
        first = max(bounds.first, min(near, bounds.end))
        if self._earlier is not None and 0 < bounds.first == first:
            before = self._earlier.first(part, first)
            first = first if before is None else before
        return start(first, bounds.end)

    def _chunks(self, part: str, state: State) -> Generator[Chunk | None, None, None]:
        """Read a partition from a state on; `None` where there is nothing for now."""
        first, end, texts = state["first"], state["end"], set(state["texts"])
        if end is not None and first >= end:
            return
        while self._earlier is not None and first < (begins := self._log.bounds(part).first):
            for chunk in self._earlier.chunks(part, first, begins, texts):
                yield chunk
                first, texts = chunk.stop.offset, set(chunk.stop.texts)
        with closing(self._log.open(part, first)) as cursor:
            while end is None or first < end:
                self.pulse()
                last = self._over()  # asked first: what was appended meanwhile is still read
                entries = cursor.read(_MESSAGES)
                if self._follow:
                    self.lags[part] = cursor.lag()
                if not entries:
                    if last:
                        return
                    yield None
                    continue
                before = Place(first, sorted(texts))
                wanted = (entry for entry in entries if end is None or entry.offset < end)
                events = (said(entry, part).event for entry in wanted)
                strips = strips_of(events, self._window, texts)
                first = entries[-1].offset + 1 if end is None else min(entries[-1].offset + 1, end)
                yield Chunk(before, Place(first, sorted(texts)), strips)
