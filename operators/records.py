"""The end of a tape: what was concluded, numbered. The number is its id in history."""

from __future__ import annotations

from collections.abc import Iterable

import bytewax.operators as op
from bytewax.dataflow import operator
from bytewax.operators import KeyedStream, StatefulBatchLogic

from operators.tape import Strip, Tape
from schemas import DERIVED, Event, Gap, Reject
from schemas.tables import Record

_DERIVED = frozenset(DERIVED)
_EITHER = frozenset({Gap, Reject})
"""Concluded on the tape, or come from outside."""


class Numbering(StatefulBatchLogic[Strip, list[Record], int]):
    """Number the derived events of one market, and let outside events go.

    Examples
    --------
    >>> from schemas import Halt, Heartbeat
    >>> strips, _ = Numbering(7).on_batch([[Heartbeat("m", 1), Halt("m", 1, "halted", "by me")]])
    >>> strips
    [[Record(seq=7, event=Halt(market='m', ts=1, state='halted', why='by me'))]]

    """

    def __init__(self, first: int) -> None:
        self.next = first

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

    def snapshot(self) -> int:
        """Return the next number."""
        return self.next


def _born_here(event: Event) -> bool:
    """Tell apart the gaps of the tape entry, and what a source could not read."""
    return type(event) is Reject or (type(event) is Gap and event.at is None)


@operator
def conclude(step_id: str, tape: Tape) -> KeyedStream[list[Record]]:
    """Give what was concluded on the tape its number; the last step of every flow."""
    return op.stateful_batch("number", tape, lambda saved: Numbering(saved or 0))
