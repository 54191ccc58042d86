"""A log in memory: what the tests of its readers and writers need of one, and nothing durable."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from connectors.log.log import Bounds, Entry, LogError, LostError, partition_of
from schemas import Book, Event, Time, Trades
from schemas.wire import encode


@dataclass
class MemoryLog:
    """A log and its appender in one.

    Parameters
    ----------
    count
        How many partitions.
    step
        How far offsets are apart; in Kafka they may be more than one.

    """

    count: int = 2
    step: int = 1
    name: str = "memory"
    clock: Callable[[], Time] = lambda: 0
    entries: list[list[Entry]] = field(default_factory=list)
    times: list[list[Time]] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    flushes: int = 0
    broken: str = ""
    """Why it takes nothing more, if it does not."""

    def __post_init__(self) -> None:
        self.entries = [[] for _ in range(self.count)]
        self.times = [[] for _ in range(self.count)]
        self.firsts = [0] * self.count

    def partitions(self) -> list[str]:
        return [f"{self.name}/{number}" for number in range(self.count)]

    def bounds(self, partition: str) -> Bounds:
        number = self._number(partition)
        entries = self.entries[number]
        return Bounds(self.firsts[number], entries[-1].offset + 1 if entries else 0)

    def offset_at(self, partition: str, time: Time) -> int:
        number = self._number(partition)
        place = bisect_left(self.times[number], time)
        found = self.entries[number][place:]
        return max(found[0].offset if found else self.bounds(partition).end, self.firsts[number])

    def open(self, partition: str, offset: int) -> _Cursor:
        return _Cursor(self, self._number(partition), offset)

    def waker(self) -> None:
        """Nobody wakes who waits."""

    def append(self, market: str, message: bytes) -> None:
        if self.broken:
            raise LogError(self.broken)
        number = partition_of(market, self.count)
        entries = self.entries[number]
        offset = entries[-1].offset + self.step if entries else 0
        self.times[number].append(self.clock())
        entries.append(Entry(offset, market, message))

    def put(self, *events: Event) -> None:
        """Append events."""
        for event in events:
            self.append(event.market, encode(event))

    def flush(self) -> None:
        if self.broken:
            raise LogError(self.broken)
        self.flushes += 1

    def close(self) -> None:
        if self.broken:
            raise LogError(self.broken)

    def cut(self, partition: str, first: int) -> None:
        """Keep nothing in front of an offset any more."""
        self.firsts[self._number(partition)] = first

    def _number(self, partition: str) -> int:
        return self.partitions().index(partition)


@dataclass
class _Cursor:
    log: MemoryLog
    number: int
    offset: int

    def read(self, limit: int) -> list[Entry]:
        first = self.log.firsts[self.number]
        if self.offset < first:
            msg = f"{self.log.name}/{self.number}: {self.offset} to {first} are not kept any more"
            raise LostError(msg)
        entries = self.log.entries[self.number]
        start = bisect_left(entries, self.offset, key=lambda entry: entry.offset)
        found = entries[start : start + limit]
        if found:
            self.offset = found[-1].offset + 1
        return found

    def wait(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.001))

    def lag(self) -> int:
        entries = self.log.entries[self.number]
        return len(entries) - bisect_left(entries, self.offset, key=lambda entry: entry.offset)

    def close(self) -> None:
        """Give back nothing: it is memory."""


def long_log(messages: int = 6_000) -> MemoryLog:
    """Return a log of trades and books, the same each time."""
    log, random = MemoryLog(count=2), Random(7)
    for number in range(messages):
        market = random.choice(["okx:A/USD", "okx:B", "bybit:C/EUR"])
        if random.random() < 0.2:
            log.put(Book(market, number, [(1.0, 2.0)], [(3.0, 4.0)], number))
        else:
            log.put(Trades.of(market, [number + 1], [1.5], [2.5], [1], [number], [number + 2]))
    return log
