"""What the market offers an entry, and how much of it costs no more than it may."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from operators.costs import Costs
from operators.paper import EXACT, furthest, lot_of, total, walk
from operators.slippage import CostLimit, Promise, Walked, edge, fitting, mid, promise, side_of
from operators.standing import Standing
from schemas import Book, OrderKind, Time

_NOTHING = Decimal(0)
_BASIS_POINTS = Decimal(10_000)
_ONE_SIDED = "the book has one side only: what it would cost is not known"


class Offer(NamedTuple):
    """What the market offers an entry now."""

    book: Book | None
    """The last one, if it is fresh."""
    taken: Decimal
    """What is gone from the side it takes from."""
    sign: int
    """+1 buys, -1 sells."""
    kind: OrderKind
    worst: float | None
    """The worst price it may get."""
    lot: Decimal
    costs: Costs

    def promise(self, amount: Decimal) -> Promise | None:
        """Return what the book promises; `None` without a fresh one."""
        if self.book is None:
            return None
        takes = _NOTHING if self.kind == "post-only" else amount
        return promise(self.book, self.taken, takes, self.sign, self.lot, self.worst)

    def within(self, amount: Decimal) -> tuple[Decimal, str]:
        """Return how much there is at the worst price or better, and why it is not all."""
        if self.worst is None or self.book is None:
            return amount, ""
        got = total([part for _, part in self._walked(amount)])
        return got, "" if got == amount else "no more in the book as allowed"

    def afforded(self, amount: Decimal, most: CostLimit) -> tuple[Decimal, str]:
        """Return how much costs no more than it may, and why that is not all."""
        fits, why = self._fits(amount, Decimal(repr(most.bps)))
        if fits == amount:
            return amount, ""
        return (_NOTHING if most.otherwise == "refuse" else fits), why

    def _fits(self, amount: Decimal, bps: Decimal) -> tuple[Decimal, str]:
        walked = [] if self.kind == "post-only" else self._walked(amount)
        if not walked:
            return self._unseen(amount, bps)
        assert self.book is not None  # noqa: S101 - else it could not be walked
        middle, fee = mid(self.book), self.costs.fee * _BASIS_POINTS
        if middle is None:
            return _NOTHING, _ONE_SIDED
        fits = fitting(walked, self.sign, edge(middle, self.sign, bps - fee), self.lot)
        got = total([part for _, part in walked])
        if fits < got:
            found = self.promise(amount)
            assert found is not None  # noqa: S101 - there is a book
            return fits, _too_dear(found.slippage_bps or 0.0, float(fee), float(bps))
        rests = self.kind == "limit" and self.costs.maker_fee * _BASIS_POINTS <= bps
        if got == amount or rests:
            return amount, ""
        return got, f"the book holds {got:f} of {amount:f}"

    def _unseen(self, amount: Decimal, bps: Decimal) -> tuple[Decimal, str]:
        """Judge what takes nothing from a book: it rests, or there is none."""
        if self.kind == "market" and self.book is not None:
            return _NOTHING, "the book holds nothing"
        at_once = self.kind == "market"
        slippage = self.costs.slippage * _BASIS_POINTS if at_once else _NOTHING
        fee = (self.costs.fee if at_once else self.costs.maker_fee) * _BASIS_POINTS
        if slippage + fee <= bps:
            return amount, ""
        return _NOTHING, _too_dear(float(slippage), float(fee), float(bps))

    def _walked(self, amount: Decimal) -> Walked:
        if self.book is None:
            return []
        levels = side_of(self.book, self.sign)
        return walk(levels, self.taken, amount, self.sign, self.worst, self.lot)


def offered(
    standing: Standing,
    ts: Time,
    sign: int,
    kind: OrderKind,
    limit: Decimal | None,
    max_slippage: float | None,
    costs: Costs,
) -> Offer:
    """Return what the market offers an entry at tape time `ts`."""
    view = standing.view
    fresh = view.book is not None and ts <= view.fresh_until(costs.max_book_age)
    book = view.book if fresh else None
    worst = None if limit is None else float(limit)
    if limit is None and book is not None:
        worst = furthest(side_of(book, sign), sign, max_slippage)
    taken = standing.taken.sides.get(sign, _NOTHING)
    return Offer(book, taken, sign, kind, worst, lot_of(view.instrument), costs)


def left_out(amount: Decimal, wanted: Decimal, why: str) -> str:
    """Return what tells that an entry is less than was wanted."""
    return f"{EXACT.subtract(wanted, amount):f} of {wanted:f} left out: {why}"


def _too_dear(slippage: float, fee: float, bps: float) -> str:
    return (
        f"it would cost {slippage + fee:.2f} bps, {slippage:.2f} of them slippage, "
        f"and {bps:g} are allowed"
    )
