"""Orders that take effect at a recorded time, whenever they come: what paper trading is held to."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TypeAlias

from schemas import SECOND, Time
from tests.standin.capture import Line, raw_trade
from tests.standin.engine import Engine
from tests.standin.market import Market
from tests.standin.orders import Order
from tests.standin.shelf import Shelf, Taken

_Due: TypeAlias = tuple[Time, Order]
_UPDATE = re.compile(rb'"u":(\d+)')
_STAMPS = {"trade": re.compile(rb'"T":(\d+)'), "depth": re.compile(rb'"E":(\d+)')}
_MILLISECOND = 1_000_000
_TOLERANCE = SECOND
"""How far behind the trade clock a trade still counts, and how far books run ahead of trades."""


def stamp_of(line: Line, shift: int) -> Time:
    """Return the exchange's stamp of a trade or a book, ns."""
    found = _STAMPS[line.stream].search(line.raw)
    if found is None:
        raise ValueError(f"a {line.stream} without a stamp: {line.raw!r}")
    return (int(found[1]) + shift) * _MILLISECOND


class TapeTime:
    """The time of a market's tape, as the entry of every flow counts it."""

    def __init__(self) -> None:
        self.now: Time = -1
        self._trades: Time = -1

    def move(self, stream: str, stamp: Time) -> bool:
        """Move by an event, and tell whether it is on the tape."""
        if stream == "trade":
            if stamp < self._trades - _TOLERANCE:
                return False
            self._trades = max(self._trades, stamp)
            self.now = max(self.now, self._trades)
        else:
            self.now = max(self.now, stamp - _TOLERANCE)
        return True


class Cursor:
    """A market as far as it was played, with the time of its tape.

    Parameters
    ----------
    market
        Not played yet.

    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self.time = TapeTime()
        self.rows = 0
        """How many of its lines were played."""
        self.stamp: Time = -1
        """Of the book."""
        self._coming: Time = -1

    def move(self, line: Line, shift: int) -> bool:
        """Let time come to a line that is about to be played; tell whether it is on the tape."""
        self._coming = self.stamp
        if line.stream not in _STAMPS or (line.stream == "depth" and not self._changes(line)):
            return False
        stamp = stamp_of(line, shift)
        if line.stream == "depth":
            self._coming = stamp
        return self.time.move(line.stream, stamp)

    def played(self) -> None:
        """Take note that the line was played."""
        self.rows += 1
        self.stamp = self._coming

    def fresh(self, max_age: Time) -> bool:
        """Tell whether there is a book in front of the line, and it is not too old."""
        return self.stamp >= 0 and self.time.now <= self.stamp + max_age

    def _changes(self, line: Line) -> bool:
        found = _UPDATE.search(line.raw)
        return found is not None and int(found[1]) > self.market.update


class Lockstep:
    """Holds the orders of one market until their time.

    An order is due at the first event of the tape with a time of at least its own. It takes from
    the last book in front of that event, as deep as a tape tells of, unless the book is too old:
    then it fills whole at the price of that trade, or of the next. What orders took from a book
    is gone until the next one. A resting order fills when a trade is beyond its price. All this is
    what `PaperBroker` does. An order that comes after its time is treated as if it had been there.

    Parameters
    ----------
    engine
        Where they go when it is time.
    levels
        How many of each side a tape tells of.
    max_book_age
        How long a book is believed, ns.

    """

    def __init__(self, engine: Engine, levels: int, max_book_age: Time) -> None:
        self._engine, self._max_book_age, self._levels = engine, max_book_age, levels
        self._now = Cursor(engine.market)
        self._then: Cursor | None = None
        self._shift = 0
        self._waiting: list[tuple[Time, Order]] = []
        self._taken: Taken = {}
        engine.queue = False
        engine.shelf = Shelf(engine.market, self._taken, levels)

    def take(self, order: Order, due: Time) -> None:
        """Let an order take effect at a time, though it be over."""
        if self._now.time.now < due:
            self._waiting.append((due, order))
        else:
            self._late(order, due)

    def before(self, line: Line, shift: int) -> None:
        """Let orders take effect that are due at a line about to be played."""
        self._shift = shift
        if self._now.move(line, shift) and self._waiting:
            self._waiting = self._enter(self._now, line, self._waiting)

    def played(self) -> None:
        """Take note that the line was played."""
        self._now.played()

    def _enter(self, at: Cursor, line: Line, waiting: list[_Due]) -> list[_Due]:
        """Let orders take effect in front of a line, and return those that wait on."""
        fresh = at.fresh(self._max_book_age)
        left = []
        for due, order in waiting:
            if due > at.time.now or not (fresh or line.stream == "trade"):
                left.append((due, order))
            elif not order.open:
                continue
            elif fresh:
                self._engine.enter(order)
            else:
                self._engine.enter_at(order, Decimal(raw_trade(line.raw).price))
        return left

    def _late(self, order: Order, due: Time) -> None:
        """Play the market once more, aside, from before a time up to now, for one order."""
        engine, at, waiting = self._engine, self._behind(due), [(due, order)]
        present, engine.shelf = engine.shelf, Shelf(at.market, self._taken, self._levels)
        for line in at.market.capture.lines[at.rows : self._now.rows]:
            if at.move(line, self._shift):
                waiting = self._enter(at, line, waiting)
            at.market.play(line, self._shift)
            if line.stream == "trade" and order in engine.orders:
                engine.meet(order, at.market.trades[-1])
            at.played()
            if not (waiting or order.open):
                break
        engine.shelf = present
        self._waiting += waiting

    def _behind(self, due: Time) -> Cursor:
        """Return the market as it was before a time."""
        if self._then is None or self._then.time.now >= due:
            self._then = Cursor(Market(self._engine.market.capture))
        return self._then
