"""Shadow positions: what would have become of each decision, in every mode, on paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from operators.life import Life, Lives
from operators.monitor import best_exit
from operators.paper import View
from schemas import Book, Numbers, Time, Trades


@dataclass(slots=True)
class Shadow:
    """The virtual position of one decision."""

    decision: int
    life: Life
    features: Numbers
    odds: float | None
    expected: float | None


class Over(NamedTuple):
    """A shadow position that ended; without exits, if its entry got nothing."""

    row: int
    ts: Time
    shadow: Shadow


@dataclass(slots=True)
class _Bounds:
    """Between these levels and before this time no open shadow acts."""

    low: float = -inf
    high: float = inf
    deadline: float = inf
    trailing: bool = False


@dataclass(slots=True)
class Shadows:
    """All shadow positions of a market. It pickles.

    Most slices touch no barrier of any: one minimum and one maximum decide that for all of them.
    """

    moving: list[Shadow] = field(default_factory=list)
    """Those that enter or leave: an order of theirs works."""
    open: list[Shadow] = field(default_factory=list)
    bounds: _Bounds = field(default_factory=_Bounds)

    def __len__(self) -> int:
        return len(self.moving) + len(self.open)

    def trades(self, lives: Lives, trades: Trades, view: View) -> list[Over]:
        """Lead all of them over a slice; return those that ended, in order of the tape."""
        acting = self.moving
        if self.open and self._touched(trades):
            acting = acting + self.open
            self.open = []
        if not acting:
            return []
        over = []
        for shadow in acting:
            row = 0
            while True:
                step = lives.trades(shadow.life, trades, row, view)
                if step is None:
                    break
                row = step.row + 1
                if shadow.life.stage == "over":
                    over.append(Over(step.row, step.ts, shadow))
                    break
        self._sort(acting)
        over.sort(key=lambda end: (end.row, end.shadow.decision))
        return over

    def sign(self, lives: Lives, ts: Time, book: Book | None, view: View) -> list[Over]:
        """Lead all of them over an event that is no trade; `book` is the new one, if it is one."""
        acting = self.moving
        if self.open and self._reached(ts, book):
            acting = acting + self.open
            self.open = []
        over = []
        for shadow in acting:
            step = lives.sign(shadow.life, ts, book, view)
            if step is not None and shadow.life.stage == "over":
                over.append(Over(0, ts, shadow))
        if acting:
            self._sort(acting)
        if book is not None:
            for shadow in self.moving:
                shadow.life.taken.sides.clear()
        over.sort(key=lambda end: end.shadow.decision)
        return over

    def _sort(self, acted: list[Shadow]) -> None:
        self.moving = [s for s in acted if s.life.stage in ("entering", "leaving")]
        opened = [s for s in acted if s.life.stage == "open"]
        if opened or not self.open:
            self.open += opened
            self.bounds = _bounds(self.open)

    def _touched(self, trades: Trades) -> bool:
        bounds = self.bounds
        if bounds.trailing or trades.ts.item(-1) >= bounds.deadline:
            return True
        prices = trades.price
        if len(prices) == 1:
            return not bounds.low < prices.item(0) < bounds.high
        return not (prices.min() > bounds.low and prices.max() < bounds.high)

    def _reached(self, ts: Time, book: Book | None) -> bool:
        bounds = self.bounds
        if bounds.trailing or ts >= bounds.deadline:
            return True
        if book is None:
            return False
        prices = [best_exit(book, sign) for sign in (1, -1)]
        return any(price is not None and not bounds.low < price < bounds.high for price in prices)


def _bounds(shadows: list[Shadow]) -> _Bounds:
    bounds = _Bounds()
    for shadow in shadows:
        armed = shadow.life.armed
        assert armed is not None  # noqa: S101 - an open position is armed
        bounds.low = max(bounds.low, armed.low)
        bounds.high = min(bounds.high, armed.high)
        if armed.deadline is not None:
            bounds.deadline = min(bounds.deadline, armed.deadline)
        bounds.trailing = bounds.trailing or armed.trailing is not None
    return bounds
