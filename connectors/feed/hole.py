"""Where trades of a market may be missing, and what was found of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.exchange.rest_trades import Traded
from connectors.feed.ids import SeenIds, whole
from schemas import Time


class Ask(NamedTuple):
    """A question to REST: the trades behind `last`, in front of `until`; None: to the newest."""

    hole: Hole
    last: Traded
    until: Traded | None


@dataclass(slots=True, eq=False)
class Hole:
    """A place on a market's tape where trades may be missing.

    Parameters
    ----------
    why
        What made it, as its `Gap` will say.
    last
        The trade in front of it.
    opened
        Since when the market waits for it, by our clock.
    numbered
        Whether the ids tell which trades are missing.
    until
        The first trade behind it; None if there came none yet.

    """

    why: str
    last: Traded
    opened: Time
    numbered: bool
    until: Traded | None = None
    found: dict[str, Traded] = field(default_factory=dict)
    """What REST told, oldest first, and what came by itself, by id."""
    came: set[str] = field(default_factory=set)
    """What came by itself."""
    open: bool = True
    """Whether the market still waits for it."""
    lacking: Time | None = None
    """Set when a `Gap` stands for it: up to which time."""

    def ask(self) -> Ask:
        """Return what to ask of REST now."""
        return Ask(self, self.last, self.until)

    def take(self, trade: Traded) -> bool:
        """Take what came by itself; tell whether it belongs here, by its id."""
        if trade.parts > 1 or not self._fits(trade):
            return False
        self.found[trade.id] = trade
        self.came.add(trade.id)
        return True

    def _fits(self, trade: Traded) -> bool:
        number, span = whole(trade.id), self._span()
        return span is not None and number is not None and span[0] < number <= span[1]

    def add(self, ask: Ask, trades: list[Traded], all_there: bool) -> bool:
        """Take what REST answered; tell whether now nothing is missing."""
        told = {trade.id: trade for trade in trades}
        # A page stands behind those in front of it; the whole is in order whatever was known.
        self.found = told | self.found if all_there else self.found | told
        if all_there and (ask.until is self.until or (self.until and self.until.id in self.found)):
            return True
        return self.full()

    def full(self) -> bool:
        """Tell whether the ids say that nothing is missing."""
        span = self._span()
        if span is None:
            return False
        there = sum(trade.parts for trade in self.found.values() if self._fits(trade))
        return there >= span[1] - span[0]

    def missed(self, seen: SeenIds) -> list[Traded]:
        """Return what was found of this hole and is on the tape nowhere else, in order."""
        numbered = self._span() is not None
        there = filter(self._fits, self.found.values()) if numbered else self._in_front()
        new = [trade for trade in there if trade.id in self.came or trade.id not in seen]
        return sorted(new, key=lambda trade: int(trade.id)) if numbered else new

    def skips(self, seen: SeenIds) -> bool:
        """Tell whether something of this hole was put aside before, as its ids tell."""
        if self._span() is None:
            return False
        own = (t for t in self.found.values() if self._fits(t) and t.id not in self.came)
        return any(trade.id in seen for trade in own)

    def too_late(self, trades: list[Traded]) -> list[Traded]:
        """Return what of an answer belongs to the time for which a `Gap` stands."""
        self.found, end = {trade.id: trade for trade in trades}, self.lacking
        if end is None:
            return []
        return [trade for trade in self._in_front() if self.until is not None or trade.ts <= end]

    def _in_front(self) -> Iterator[Traded]:
        for trade in self.found.values():
            if self.until is not None and trade.id == self.until.id:
                break
            yield trade

    def _span(self) -> tuple[int, int] | None:
        """Return the id in front of the first missing one, and the last missing one."""
        if not self.numbered or self.until is None:
            return None
        return int(self.last.id), int(self.until.id) - self.until.parts


def jumps(one: Traded, other: Traded) -> bool:
    """Tell whether another trade may stand between two, by their ids.

    Examples
    --------
    >>> seven, eight, nine = (Traded(id_, 1, 1.0, 1.0, 1) for id_ in ("7", "8", "9"))
    >>> jumps(seven, eight), jumps(seven, nine)
    (False, True)

    """
    first, second = whole(one.id), whole(other.id)
    return first is None or second is None or second - other.parts != first
