"""The market log: everything from outside in one order for each market, read by offset.

An SQLite file or Kafka: both are this.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple, Protocol

from connectors.rest import Waker
from schemas import Time
from schemas.mendable import Mendable


class LogError(Mendable, ValueError):
    """A log that cannot be used; its text says why, and what to do."""


class LostError(LogError):
    """What should be read is not kept any more; its text says what was lost, and how to go on."""


class Entry(NamedTuple):
    """One message of a log: an event in its wire form."""

    offset: int
    """Its place in its partition; they grow, but not always by one."""
    market: str
    """The key it was appended with."""
    message: bytes


class Bounds(NamedTuple):
    """What a partition keeps: from `first` to right in front of `end`."""

    first: int
    end: int


class Cursor(Protocol):
    """A place in a partition, from which one reads on."""

    def read(self, limit: int) -> list[Entry]:
        """Return what comes next, at most `limit` messages, without waiting; nothing at the end.

        Raises
        ------
        LostError
            When it is not kept any more.
        LogError
            When the log cannot be read.

        """
        ...

    def lag(self) -> int:
        """Return how many messages are to be read yet, as far as it was told."""
        ...

    def wait(self, seconds: float) -> None:
        """Return when something may have come, or so many seconds later."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class Log(Protocol):
    """A log to read. Whatever it shows is durable."""

    def partitions(self) -> list[str]:
        """Return the partitions' names: no other log, not even a later one, has the same."""
        ...

    def bounds(self, partition: str) -> Bounds:
        """Return what a partition keeps now."""
        ...

    def offset_at(self, partition: str, time: Time) -> int:
        """Return the first offset appended at or behind `time`, our clock's; else the end."""
        ...

    def open(self, partition: str, offset: int) -> Cursor:
        """Return a cursor that reads from `offset` on."""
        ...

    def waker(self) -> Waker | None:
        """Return what wakes who waits for any partition, if there is such a thing."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class Appender(Protocol):
    """A log to write."""

    def append(self, market: str, message: bytes) -> None:
        """Hand over a message; wait only when too many are under way.

        Raises
        ------
        LogError
            When an earlier one was not taken.

        """
        ...

    def flush(self) -> None:
        """Return when all that was handed over is durable, each once and in order.

        Raises
        ------
        LogError
            When one was not taken.

        """
        ...

    def close(self) -> None:
        """Flush, and give back what it holds."""
        ...


def partition_of(market: str, count: int) -> int:
    """Return the number of a market's partition, of `count`: the one rule for all logs.

    Examples
    --------
    >>> partition_of("binance:BTC/USDT", 8), partition_of("binance:ETH/USDT", 8)
    (6, 4)

    """
    return zlib.crc32(market.encode()) % count
