"""A limit entry on paper: it takes what its price allows, and rests until it is traded through."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from operators.life import Life, Step
from operators.monitor import arm, grown, told_by
from operators.paper import EXACT, PaperBroker, Part, View, average_price, lot_of, total, walk
from operators.rows import first_at
from operators.slippage import side_of
from schemas import Book, Time, Trades

_NOTHING = Decimal(0)
_OVER = "its time is over"
_TAKES = "post-only, and it would have taken from the book"


@dataclass(slots=True)
class LimitEntry:
    """A limit entry that works. It pickles."""

    sign: int
    """+1 buys, -1 sells."""
    price: Decimal
    due: Time
    """It is at the exchange from the first event behind its cause with this time on."""
    left: Decimal
    expires: Time | None
    """It is called off at the first event with this time."""
    post_only: bool
    rests: bool = False

    def over(self, ts: Time) -> bool:
        """Tell whether its time is over."""
        return self.expires is not None and ts >= self.expires

    def through(self, price: float) -> bool:
        """Tell whether a trade went through its price: worse for the others than they had here."""
        at = float(self.price)
        return price < at if self.sign > 0 else price > at


class Resting:
    """Lead lives whose entry is a `LimitEntry`, until it is done or called off.

    For each event in this order: an entry whose time is over is called off; one that arrives
    takes what the fresh book has as far as its price, unless it is post-only; one that is traded
    through fills whole, at its own price and the maker's fee. Then the barriers are judged, if
    the position was open before.

    Parameters
    ----------
    broker
        Has the run's costs.

    """

    def __init__(self, broker: PaperBroker) -> None:
        self.broker = broker

    def trades(
        self, life: Life, entry: LimitEntry, trades: Trades, row: int, view: View
    ) -> Step | None:
        """Lead a life over a slice from `row` on, up to the next thing that happens, if any."""
        fresh = view.fresh_until(self.broker.max_book_age)
        while row < len(trades):
            act = self._acts(entry, trades, row)
            stop = len(trades) if act is None else act
            if life.armed is not None and row < stop:
                hit = life.armed.search(trades.cut(0, stop), row, fresh)
                if hit is not None:
                    at = Step(hit[0], trades.ts.item(hit[0]), None, hit[1])
                    return self._left(life, entry, at)
            if act is None:
                return None
            told = None if life.armed is None else life.armed.told(trades, act, fresh)
            ts, price = trades.ts.item(act), trades.price.item(act)
            step = self._lived(life, entry, act, ts, price, told, view)
            if step is not None:
                return step
            row = act + 1
        return None

    def sign(
        self, life: Life, entry: LimitEntry, ts: Time, book: Book | None, view: View
    ) -> Step | None:
        """Lead a life over an event that is no trade; `book` is the new one, if it is one."""
        told = told_by(book, life.sign, ts, self.broker.max_book_age)
        return self._lived(life, entry, 0, ts, None, told, view)

    def _acts(self, entry: LimitEntry, trades: Trades, row: int) -> int | None:
        """Return the first row from `row` on at which something becomes of the entry."""
        over = None if entry.expires is None else first_at(trades, entry.expires, row)
        if not entry.rests:
            due = first_at(trades, entry.due, row)
            return due if over is None or (due is not None and due < over) else over
        price, at = trades.price[row:over], float(entry.price)
        through = price < at if entry.sign > 0 else price > at
        return row + int(through.argmax()) if through.any() else over

    def _lived(
        self,
        life: Life,
        entry: LimitEntry,
        row: int,
        ts: Time,
        price: float | None,
        told: float | None,
        view: View,
    ) -> Step | None:
        """Lead a life over one event; `price` is a trade's, `told` what one would get by it."""
        armed, parts, dropped = life.armed, list[Part](), _OVER if entry.over(ts) else ""
        if not dropped and not entry.rests and ts >= entry.due:
            entry.rests = True
            parts, dropped = self._arrive(life, entry, ts, view)
        if not dropped and entry.rests and entry.left and price is not None:
            parts = [*parts, *self._through(entry, price, view)]
        if parts:
            _grow(life, parts, ts)
        elif dropped and armed is None:
            life.stage = "over"
        why = None
        if armed is not None and life.armed is not None:  # it was open before this event
            why = life.armed.judge(told, ts)
        if not (parts or dropped or why):
            return None
        step = Step(row, ts, parts or None, why, dropped)
        return step if why is None else self._left(life, entry, step)

    def _arrive(
        self, life: Life, entry: LimitEntry, ts: Time, view: View
    ) -> tuple[list[Part], str]:
        """Return what a new order takes at once, and why it is called off, if it is."""
        if view.book is None or ts > view.fresh_until(self.broker.max_book_age):
            return [], ""
        before = life.taken.sides.get(entry.sign, _NOTHING)
        lot = lot_of(view.instrument)
        levels = side_of(view.book, entry.sign)
        walked = walk(levels, before, entry.left, entry.sign, float(entry.price), lot)
        if walked and entry.post_only:
            return [], _TAKES
        got = total([amount for _, amount in walked])
        life.taken.sides[entry.sign] = EXACT.add(before, got)
        entry.left = EXACT.subtract(entry.left, got)
        fee = self.broker.fee
        return [self.broker.part(at, amount, view, fee) for at, amount in walked], ""

    def _through(self, entry: LimitEntry, price: float, view: View) -> list[Part]:
        """Return what a resting order gets by a trade: all, or nothing."""
        if not entry.through(price):
            return []
        left, entry.left = entry.left, _NOTHING
        return [self.broker.part(entry.price, left, view, self.broker.maker_fee)]

    def _left(self, life: Life, entry: LimitEntry, step: Step) -> Step:
        """Return a step that hits a barrier: the exit calls off what is left of the entry."""
        assert step.why is not None  # noqa: S101 - it hits one
        life.leave(step.ts, step.why, self.broker.latency)
        return step._replace(dropped=step.dropped or step.why) if entry.left else step


def _grow(life: Life, parts: list[Part], ts: Time) -> None:
    """Add parts to a position's entry, and arm its barriers by the average so far."""
    life.entries = [*life.entries, *parts]
    entry = float(average_price(life.entries))
    if life.armed is None:
        life.stage, life.opened = "open", ts
        life.armed = arm(life.side, life.widths, entry, ts)
    else:
        life.armed = grown(life.armed, life.side, life.widths, entry)
