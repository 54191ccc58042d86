"""Into the log: what a batch has of a market, in few messages, durable before the next batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from time import perf_counter
from typing import TypeAlias

import numpy as np
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from typing_extensions import override

from connectors.log.log import Appender, LogError
from schemas import Columns, Event, Trades
from schemas.wire import encode

Item: TypeAlias = tuple[str, list[Event]]
"""A market, and what comes next on its tape."""

ROWS = 1_000
"""Trades of a message, at most."""


class LogSink(DynamicSink[Item]):
    """Put outside events into a log, those of each market in their order.

    A batch is durable before the next one is taken: what arrives meanwhile gathers into that, so
    messages get longer by themselves when there is more to do.

    Parameters
    ----------
    open_appender
        Opens the log; once for each worker.
    took
        Is told how many seconds each batch took.

    Raises
    ------
    LogError
        When the log does not take them: the flow must end, lest something is lost.

    """

    def __init__(
        self, open_appender: Callable[[], Appender], took: Callable[[float], None] | None = None
    ) -> None:
        self._open, self._took = open_appender, took

    @override
    def build(
        self, step_id: str, worker_index: int, worker_count: int
    ) -> StatelessSinkPartition[Item]:
        return _Partition(self._open(), self._took)


class _Partition(StatelessSinkPartition[Item]):
    def __init__(self, appender: Appender, took: Callable[[float], None] | None) -> None:
        self._appender, self._took = appender, took

    @override
    def write_batch(self, items: list[Item]) -> None:
        began = perf_counter()
        write(self._appender, items)
        if self._took is not None:
            self._took(perf_counter() - began)

    @override
    def close(self) -> None:
        # Each batch was flushed, and what is raised here would end the process without a word.
        with suppress(LogError):
            self._appender.close()


def write(appender: Appender, items: Iterable[Item]) -> None:
    """Append strips of tapes, those of each market in their order, and wait until it is durable.

    Raises
    ------
    LogError
        When the log does not take it.

    """
    tapes: dict[str, list[Event]] = {}
    for market, strip in items:
        tapes.setdefault(market, []).extend(strip)
    for market, tape in tapes.items():
        for event in joined(tape):
            appender.append(market, encode(event))
    appender.flush()


def joined(tape: Iterable[Event], rows: int = ROWS) -> Iterator[Event]:
    """Yield the events of a market's tape, with its trades in as few slices as can be.

    Parameters
    ----------
    tape
        Consecutive events of one market.
    rows
        Trades of a slice, at most.

    Examples
    --------
    >>> some, more = (Trades.of("okx:A", [7] * n, [1.0] * n, [1.0] * n) for n in (1, 3))
    >>> [len(trades) for trades in joined([some, more], rows=3)]
    [3, 1]

    """
    waiting: list[Trades] = []
    for event in tape:
        if waiting and not (isinstance(event, Trades) and _alike(waiting[0], event)):
            yield from _slices(waiting, rows)
            waiting = []
        if isinstance(event, Trades):
            waiting.append(event)
        else:
            yield event
    yield from _slices(waiting, rows)


def _alike(one: Trades, other: Trades) -> bool:
    """Tell whether trades can be rows of the same columns."""
    kinds = [None if trades.id is None else trades.id.dtype.kind for trades in (one, other)]
    return kinds[0] == kinds[1] and (one.received is None) == (other.received is None)


def _slices(parts: list[Trades], rows: int) -> Iterator[Trades]:
    if not parts:
        return
    whole = parts[0] if len(parts) == 1 else _whole(parts)
    for start in range(0, len(whole), rows):
        yield whole.cut(start, min(start + rows, len(whole)))


def _whole(parts: list[Trades]) -> Trades:
    stamps = np.concatenate([part.stamp for part in parts])
    ids = [part.id for part in parts if part.id is not None]
    received = [part.received for part in parts if part.received is not None]
    columns = Columns(
        stamps,
        np.concatenate([part.price for part in parts]),
        np.concatenate([part.size for part in parts]),
        np.concatenate([part.side for part in parts]),
        np.concatenate(ids) if ids else None,  # type: ignore[arg-type]  # all of one kind
        stamps,
        np.concatenate(received) if received else None,
    )
    return Trades(parts[0].market, columns, 0, len(stamps))
