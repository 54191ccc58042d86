"""What the messages of a log say: outside events, and what is none as a `Reject` in its place."""

from __future__ import annotations

from typing import NamedTuple

from connectors.log.log import Entry
from schemas import OUTSIDE, Event, Outside, Position, Reject, Time, Trades, wire


class Said(NamedTuple):
    """What a message says."""

    event: Outside
    readable: bool
    """Whether the message is this event; else the event is the `Reject` that holds it."""


def said(entry: Entry, partition: str) -> Said:
    """Return the event of a message, of its key's market and with its place in the log.

    What every reader of a log takes for the event of a message is this, so that a flow, history
    and a recording agree.

    Examples
    --------
    >>> event, readable = said(Entry(4, "okx:A", b'{"type":"Halt"'), "p")
    >>> event.market, event.at, readable
    ('okx:A', Position(partition='p', offset=4, row=0), False)

    """
    at = Position(partition, entry.offset)
    try:
        event = wire.read(entry.message, at)
    except wire.Unreadable as error:
        return _rejected(entry, error.ts, str(error), at)
    if not isinstance(event, OUTSIDE):
        why = f"a {type(event).__name__} is no outside event: a flow concludes it itself"
    elif event.market != entry.market:
        why = f"an event of {event.market} in a message of {entry.market}"
    else:
        return Said(event, readable=True)
    return _rejected(entry, _time(event), why, at)


def _rejected(entry: Entry, ts: Time, why: str, at: Position) -> Said:
    return Said(Reject(entry.market, ts, why, wire.whole(entry.message), at), readable=False)


def _time(event: Event) -> Time:
    return int(event.ts.min()) if isinstance(event, Trades) else event.ts
