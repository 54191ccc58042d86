"""Where on its log a tape reaches a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

from infra.verify.stretch import Stretch
from operators.entry import TOLERANCE
from schemas import Book, Event, Heartbeat, Position, Time, Trades


class Found(NamedTuple):
    """A place on a log."""

    partition: str
    offset: int
    row: int


def found_at(stretch: Stretch, market: str, time: Time) -> Found | None:
    """Return the place of the first event behind which a market's tape stands at a time.

    Parameters
    ----------
    stretch
        What of the log is looked at.
    market
        Whose tape.
    time
        The tape's time.

    """
    for event in _events(stretch, market):
        row = _row(event, time)
        at: Position | None = getattr(event, "at", None)
        if row is not None and at is not None:
            return Found(at.partition, at.offset, at.row + row)
    return None


def _events(stretch: Stretch, market: str) -> Iterator[Event]:
    """Read a market's tape again."""
    for part in stretch.read(market):
        with closing(part):
            try:
                while True:
                    for _, strip in part.next_batch():
                        yield from strip
            except StopIteration:
                continue


def _row(event: Event, time: Time) -> int | None:
    """Return the row of an event at which time is reached, if it is."""
    if isinstance(event, Trades):
        late = (event.stamp >= time).nonzero()[0]
        return int(late[0]) if len(late) else None
    if isinstance(event, Book | Heartbeat):
        return 0 if event.ts - TOLERANCE >= time else None
    return None
