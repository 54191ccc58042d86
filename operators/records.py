"""The end of a tape: what was concluded, numbered. The number is its id in history."""

from __future__ import annotations

from collections.abc import Iterable

import bytewax.operators as op
from bytewax.operators import KeyedStream, StatefulBatchLogic

from operators.operator import operator
from operators.tape import Strip, Tape
from schemas import DERIVED, Event, Gap, Reject
from schemas.sealed import opened, sealed
from schemas.tables import Record

_DERIVED = frozenset(DERIVED)
_EITHER = frozenset({Gap, Reject})
"""Concluded on the tape, or come from outside."""


class Numbering(StatefulBatchLogic[Strip, list[Record], bytes]):
    """Number the derived events of one market, and let outside events go.

    Examples
    --------
    >>> from schemas import Halt, Heartbeat
    >>> strip = [Heartbeat("m", 1), Halt("m", 1, "halted", "by me")]
    >>> strips, _ = Numbering(sealed(b"7")).on_batch([strip])
    >>> strips
    [[Record(seq=7, event=Halt(market='m', ts=1, state='halted', why='by me'))]]

    """

    def __init__(self, saved: bytes | None = None) -> None:
        self.next = 0 if saved is None else int(opened(saved))

    def on_batch(self, values: list[Strip]) -> tuple[Iterable[list[Record]], bool]:
        """Return the derived events with their numbers."""
        number = self.next
        records = []
        for strip in values:
            for event in strip:
                kind = type(event)
                if kind in _DERIVED or (kind in _EITHER and _born_here(event)):
                    records.append(Record(number, event))
                    number += 1
        self.next = number
        return [records] if records else [], StatefulBatchLogic.RETAIN

    def snapshot(self) -> bytes:
        """Return the next number."""
        return sealed(str(self.next).encode())


def _born_here(event: Event) -> bool:
    """Tell apart the gaps of the tape entry, and what a source could not read."""
    return type(event) is Reject or (type(event) is Gap and event.at is None)


@operator
def conclude(step_id: str, tape: Tape) -> KeyedStream[list[Record]]:
    """Give what was concluded on the tape its number; the last step of every flow."""
    return op.stateful_batch("number", tape, Numbering)
