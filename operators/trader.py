"""What `Trade` asks of the one who does the orders: on paper, or at an exchange."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from operators.monitor import Widths
from operators.standing import Standing
from schemas import Book, Event, Order, Report, Time, Trades


class Done(NamedTuple):
    """What became of a position at an event, told behind it."""

    row: int
    """Of a slice of trades; 0 for other events."""
    ts: Time
    events: list[Event]


class Trader(Protocol):
    """Does the orders of one market's position. It keeps nothing: all is in the standing."""

    reads: frozenset[type[Event]]
    """The kinds of events that only this one needs."""

    def begin(self, standing: Standing, order: Order, widths: Widths) -> None:
        """Begin a position with its entry order."""
        ...

    def trades(self, standing: Standing, trades: Trades, row: int) -> Done | None:
        """Lead the position over a slice from `row` on, up to the next thing that happens."""
        ...

    def sign(self, standing: Standing, market: str, ts: Time, book: Book | None) -> Done | None:
        """Lead it over an event that is no trade; `book` is the new one, if it is one."""
        ...

    def leave(self, standing: Standing, market: str, ts: Time, why: str) -> Iterable[Event]:
        """Leave what is held, and call off what is left of the entry."""
        ...

    def call_off(self, standing: Standing, market: str, ts: Time, why: str) -> Iterable[Event]:
        """Call off an entry that rests, and hold what is held."""
        ...

    def hear(self, standing: Standing, report: Report) -> Iterable[Event]:
        """Take what is told of an order into account."""
        ...
