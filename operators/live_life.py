"""The life of one position at an exchange, as far as the tape tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from operators.ledger import Ledger
from operators.monitor import Armed, Widths, arm, grown, told_by
from operators.paper import EXACT, View, average_price
from operators.rows import first_at
from operators.ticks import to_tick
from schemas import SECOND, Book, Order, Report, Side, Time, Trades

LOOKS: Time = 5 * SECOND
"""How often the resting stop may follow a trailing one."""


class Turn(NamedTuple):
    """What is to be done for a position at an event."""

    row: int
    """Of a slice of trades; 0 for other events."""
    ts: Time
    hit: str | None
    """The barrier that was hit, if one was."""
    late: bool = False
    """Whether the time of the entry is over."""
    guard: Decimal | None = None
    """Where the resting stop should stand from now on, if it should move."""


@dataclass(slots=True)
class LiveLife:
    """One position, from its entry order to the word that it is closed. It pickles."""

    side: Side
    widths: Widths
    entry: Order
    working: bool = True
    """Whether the entry may still fill."""
    calling_off: bool = False
    stage: str = "entering"
    """`entering`, `open` or `leaving`."""
    ledger: Ledger = field(default_factory=Ledger)
    opened: Time = 0
    armed: Armed | None = None
    judged: bool = False
    """Whether a price was seen since: until then, as on paper, parts of a fill are one."""
    why: str = ""
    exit_order: int = 0
    """The count of the exit's order; 0 while nobody on the tape asked for one."""
    look: Time = 0
    """When to look next whether the trailing stop has moved."""
    guard: Decimal | None = None
    """Where the resting stop was last asked to stand."""

    @property
    def sign(self) -> int:
        """+1 long, -1 short."""
        return 1 if self.side == "long" else -1

    @property
    def unfilled(self) -> Decimal:
        """What of the entry is not filled."""
        return EXACT.subtract(self.entry.amount, self.ledger.entered)

    def fill(self, report: Report) -> bool:
        """Take a fill of the entry into account; tell whether it was new."""
        if not self.ledger.take(report, entering=True):
            return False
        if report.status == "filled" or self.unfilled <= 0:
            self.working = False
        entry = float(average_price(self.ledger.entries))
        if self.armed is not None and self.judged:
            self.armed = grown(self.armed, self.side, self.widths, entry)
            return True
        if self.armed is None:
            self.opened, self.look = report.ts, report.ts + LOOKS
        self.armed = arm(self.side, self.widths, entry, self.opened)
        if self.stage == "entering":
            self.stage = "open"
        return True

    def leave(self, why: str) -> None:
        """Wait for the word that the position is closed."""
        self.stage, self.why = "leaving", why

    def trades(self, trades: Trades, row: int, view: View, max_age: Time) -> Turn | None:
        """Watch a slice from `row` on, up to the next thing that is to be done, if any."""
        while row < len(trades):
            wakes = self._wakes()
            at = None if wakes is None else first_at(trades, wakes, row)
            if self.stage == "open":
                assert self.armed is not None  # noqa: S101 - an open position is armed
                self.judged = True
                seen = trades if at is None else trades.cut(0, at + 1)
                hit = self.armed.search(seen, row, view.fresh_until(max_age))
                if hit is not None:
                    return Turn(hit[0], trades.ts.item(hit[0]), hit[1])
            if at is None:
                return None
            turn = self._woken(at, trades.ts.item(at), view)
            if turn is not None:
                return turn
            row = at + 1
        return None

    def sign_of_life(self, ts: Time, book: Book | None, view: View, max_age: Time) -> Turn | None:
        """Watch an event that is no trade; `book` is the new one, if it is one."""
        if self.stage == "open":
            assert self.armed is not None  # noqa: S101 - an open position is armed
            self.judged = self.judged or book is not None
            why = self.armed.judge(told_by(book, self.sign, ts, max_age), ts)
            if why is not None:
                return Turn(0, ts, why)
        wakes = self._wakes()
        return None if wakes is None or ts < wakes else self._woken(0, ts, view)

    def _wakes(self) -> Time | None:
        """Return when something is to be done, whatever the price."""
        if self.stage == "leaving":
            return None
        times = []
        if self.working and not self.calling_off and self.entry.expires is not None:
            times.append(self.entry.expires)
        if self.stage == "open" and self.widths.trailing is not None:
            times.append(self.look)
        return min(times, default=None)

    def _woken(self, row: int, ts: Time, view: View) -> Turn | None:
        expires, guard = self.entry.expires, None
        late = self.working and not self.calling_off and expires is not None and ts >= expires
        if self.stage == "open" and self.widths.trailing is not None and ts >= self.look:
            self.look = ts + LOOKS
            guard = self._moved(view)
        return Turn(row, ts, None, late, guard) if late or guard is not None else None

    def _moved(self, view: View) -> Decimal | None:
        """Return where the resting stop should stand, if that is a tick better than it does."""
        assert self.armed is not None  # noqa: S101 - an open position is armed
        assert self.widths.trailing is not None  # noqa: S101 - asked only then
        tick = None if view.instrument is None else view.instrument.tick
        sign, trailing, stop = self.sign, self.widths.trailing, self.widths.stop
        stands = self.guard
        if stands is None:
            entry = float(average_price(self.ledger.entries))
            stands = to_tick(entry * (1 - sign * (trailing if stop is None else stop)), tick, sign)
        should = to_tick(self.armed.best * (1 - sign * trailing), tick, sign)
        if (should - stands) * sign <= 0:
            return None
        self.guard = should
        return should
