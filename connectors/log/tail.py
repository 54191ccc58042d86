"""The tail of a log: which markets it has, and how far each was taken in."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import closing

from connectors.exchange.rest_trades import Traded
from connectors.feed.tape import TOLERANCE, Written
from connectors.log.log import Entry, Log, LogError, partition_of
from connectors.log.messages import said
from schemas import Book, Gap, Heartbeat, Time, Trades

LOOK_BACK = 100_000
"""So many messages of a partition are looked at, at most."""
MARKETS_BACK = 20_000
"""The same, where it is enough to hear of each market once: the quietest has its heartbeats."""
_PIECE = 2_000
_PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 0.005


def last_trades(
    log: Log, markets: Collection[str], look_back: int = LOOK_BACK
) -> dict[str, Written]:
    """Return how far a log has each market: its newest trade, if the tail has any, and the time.

    Parameters
    ----------
    log
        The log.
    markets
        Which markets are looked for.
    look_back
        How many messages of a partition are looked at, at most.

    Raises
    ------
    LogError
        When the log cannot be read.

    """
    partitions = log.partitions()
    wanted: dict[str, set[str]] = {}
    for market in markets:
        wanted.setdefault(partitions[partition_of(market, len(partitions))], set()).add(market)
    found: dict[str, Written] = {}
    moved: dict[str, Time] = {}
    for partition, names in wanted.items():
        first, end = log.bounds(partition)
        stop, floor = end, max(first, end - look_back)
        while stop > floor and not names <= found.keys():
            start = max(floor, stop - _PIECE)
            found = _newest(log, partition, start, stop, names, moved) | found
            stop = start
    return {m: end._replace(moved=moved.get(m, end.moved)) for m, end in found.items()}


def markets_of(log: Log, look_back: int = MARKETS_BACK) -> set[str]:
    """Return the markets that the tail of a log has messages of.

    Parameters
    ----------
    log
        The log.
    look_back
        How many messages of a partition are looked at, at most.

    Raises
    ------
    LogError
        When the log cannot be read.

    """
    found: set[str] = set()
    for partition in log.partitions():
        first, end = log.bounds(partition)
        found.update(
            entry.market for entry in _between(log, partition, max(first, end - look_back), end)
        )
    return found


def _newest(
    log: Log, partition: str, start: int, stop: int, names: set[str], moved: dict[str, Time]
) -> dict[str, Written]:
    """Return the newest trade of each market between two offsets; `moved` learns the time."""
    newest: dict[str, Written] = {}
    for entry in _between(log, partition, start, stop):
        market = entry.market
        event = said(entry, partition).event if market in names else None
        if isinstance(event, Trades):
            newest[market] = _greatest(newest.get(market), event)
        elif isinstance(event, (Book, Heartbeat, Gap)):
            reached = event.end if isinstance(event, Gap) else event.ts - TOLERANCE
            moved[market] = max(moved.get(market, -1), reached)
    return newest


def _between(log: Log, partition: str, start: int, stop: int) -> Iterator[Entry]:
    """Yield the messages from one offset to another; a log may need a moment to begin."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with closing(log.open(partition, start)) as cursor:
        while start < stop:
            entries = cursor.read(stop - start)
            if entries:
                yield from (entry for entry in entries if entry.offset < stop)
                start = entries[-1].offset + 1
            elif time.monotonic() > deadline:
                msg = f"{partition} does not give what it has from {start:,} on; try again"
                raise LogError(msg)
            else:
                time.sleep(_LOOK_SECONDS)


def _greatest(before: Written | None, trades: Trades) -> Written:
    """Return the last trade; of ids that are numbers, the one with the greatest."""
    ids = trades.id
    numbers = ids is not None and ids.dtype != object
    row = int(ids.argmax()) if ids is not None and numbers else len(trades) - 1
    trade = Traded(
        "" if ids is None else str(ids.item(row)), trades.stamp.item(row),
        trades.price.item(row), trades.size.item(row), trades.side.item(row),
    )  # fmt: skip
    old = None if before is None else before.last.id
    if before and numbers and old and old.isdecimal() and int(old) > int(trade.id):
        return before
    if ids is None or numbers:
        return Written(trade)
    beside = frozenset(map(str, ids[trades.stamp == trade.ts].tolist()))
    if before and before.last.ts == trade.ts:
        beside |= before.beside
    return Written(trade, beside)
