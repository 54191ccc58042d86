"""The paper broker: what an order would have got, by the book or by the next trade."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from math import isfinite
from typing import NamedTuple

from operators.costs import Costs
from operators.rows import first_at
from schemas import Book, Instrument, Levels, Time, Trades, Unit

EXACT = Context(prec=76)
"""Wide enough that no product or sum of prices, amounts and fees is ever rounded."""
_PLACES = 18
_FINEST = Decimal("1e-18")
_LOT = Decimal("1e-8")
_ZERO = Decimal(0)


class Part(NamedTuple):
    """A part of an order that was filled."""

    price: Decimal
    amount: Decimal
    fee: Decimal


@dataclass(slots=True)
class Ticket:
    """An order at the paper broker."""

    sign: int
    """+1 buys, -1 sells."""
    due: Time
    """It fills at the first event behind its cause with a time of at least this."""
    left: Decimal
    max_slippage: float | None = None
    """How far from the best level it may go; what that does not allow is cancelled."""
    keeps: bool = False
    """Whether it stays until it is whole, as an exit does."""


@dataclass(slots=True)
class View:
    """What the broker knows of a market."""

    price: float | None = None
    """Of the last trade."""
    book: Book | None = None
    instrument: Instrument | None = None

    def fresh_until(self, max_age: Time) -> Time:
        """Return up to when the book may be used; -1 without a book."""
        return -1 if self.book is None else self.book.stamp + max_age

    def reference(self, sign: int, ts: Time, max_age: Time) -> float | None:
        """Return the price to size an order by: the side of a fresh book, or the last trade."""
        if self.book is not None and ts <= self.fresh_until(max_age):
            levels = self.book.asks if sign > 0 else self.book.bids
            if levels:
                return levels[0][0]
        return self.price


@dataclass(slots=True)
class Taken:
    """How much was taken from each side of the present book."""

    sides: dict[int, Decimal] = field(default_factory=dict)


class PaperBroker:
    """Fill orders as a market order of this size would have been.

    Parameters
    ----------
    costs
        The run's fees, slippage, latency, and how old a book may be.

    """

    def __init__(self, costs: Costs) -> None:
        self.fee, self.maker_fee, self.slippage = costs.fee, costs.maker_fee, costs.slippage
        self.latency, self.max_book_age = costs.latency, costs.max_book_age

    def row(self, ticket: Ticket, trades: Trades, row: int) -> int | None:
        """Return the first row from `row` on at which a ticket is due."""
        return first_at(trades, ticket.due, row)

    def fill(
        self, ticket: Ticket, ts: Time, price: float | None, view: View, taken: Taken
    ) -> list[Part] | None:
        """Return what a ticket gets at an event: `None` if it has to wait for another.

        Parameters
        ----------
        ts, price
            The event's tape time, and its price if it is a trade.
        view
            What was known in front of the event.
        taken
            What is gone from the book; added to.

        """
        if ts < ticket.due:
            return None
        if view.book is not None and ts <= view.fresh_until(self.max_book_age):
            levels = view.book.asks if ticket.sign > 0 else view.book.bids
            before = taken.sides.get(ticket.sign, _ZERO)
            worst = furthest(levels, ticket.sign, ticket.max_slippage)
            lot = lot_of(view.instrument)
            walked = walk(levels, before, ticket.left, ticket.sign, worst, lot)
            taken.sides[ticket.sign] = total([before, *(amount for _, amount in walked)])
            if ticket.keeps and not walked:
                return None
            parts = [self.part(at, amount, view, self.fee) for at, amount in walked]
        elif price is None:
            return None
        elif ticket.max_slippage is not None and self.slippage > Decimal(repr(ticket.max_slippage)):
            parts = []
        else:
            at = self._slipped(price, ticket.sign)
            parts = [self.part(at, ticket.left, view, self.fee)]
        for part in parts:
            ticket.left = EXACT.subtract(ticket.left, part.amount)
        return parts

    def _slipped(self, price: float, sign: int) -> Decimal:
        exact = Decimal(repr(price))
        if not self.slippage:
            return exact
        return finest(EXACT.multiply(exact, 1 + sign * self.slippage))

    def part(self, price: Decimal, amount: Decimal, view: View, fee: Decimal) -> Part:
        """Return a part that was filled; `fee` is a part of its worth."""
        worth = EXACT.multiply(EXACT.multiply(price, amount), contract_size(view))
        return Part(price, amount, finest(EXACT.multiply(worth, fee)))


def walk(
    levels: Levels,
    taken: Decimal,
    amount: Decimal,
    sign: int,
    worst: float | None = None,
    lot: Decimal = _LOT,
) -> list[tuple[Decimal, Decimal]]:
    """Return the prices and amounts that a market order gets, level by level.

    Parameters
    ----------
    levels
        One side of the book, best first.
    taken
        How much of it is gone already, from the best level on.
    amount
        How much is wanted.
    sign
        +1 buys, -1 sells.
    worst
        The worst price allowed; `None` for any.
    lot
        Of a level only whole lots are taken: 0.30000000000000004 offers 0.3.

    Examples
    --------
    >>> walk([(10.0, 1.0), (11.0, 5.0)], Decimal("0.4"), Decimal("2"), 1)
    [(Decimal('10.0'), Decimal('0.6')), (Decimal('11.0'), Decimal('1.4'))]

    """
    walked = []
    for price, size in levels:
        if amount <= 0 or (worst is not None and (price - worst) * sign > 0):
            break
        here = whole_lots(Decimal(repr(size)), lot)
        gone = min(taken, here)
        taken = EXACT.subtract(taken, gone)
        take = min(EXACT.subtract(here, gone), amount)
        if take > 0:
            walked.append((Decimal(repr(price)), take))
            amount = EXACT.subtract(amount, take)
    return walked


def size_of(
    amount: float, unit: Unit, price: float, instrument: Instrument | None
) -> Decimal | str:
    """Return an order's amount, rounded toward zero to the lot; or why there can be none.

    Examples
    --------
    >>> size_of(1000, "quote", 61837.63, None)
    Decimal('0.01617138')

    """
    if not isfinite(amount) or amount <= 0:
        return f"an amount of {amount} is not above 0"
    exact, lot = Decimal(repr(amount)), lot_of(instrument)
    contract = Decimal(1) if instrument is None else instrument.contract_size
    if unit == "quote":
        exact = EXACT.divide(exact, EXACT.multiply(Decimal(repr(price)), contract))
    rounded = whole_lots(exact, lot)
    if not rounded:
        return f"{amount:g} {unit} is less than one lot of {lot}"
    return too_small(rounded, price, instrument) or rounded


def too_small(amount: Decimal, price: float, instrument: Instrument | None) -> str:
    """Return why an amount is too little for an order; nothing if it is not."""
    if instrument is None:
        return ""
    one = EXACT.multiply(Decimal(repr(price)), instrument.contract_size)
    worth = EXACT.multiply(amount, one)
    if worth >= instrument.min_notional:
        return ""
    return f"an order worth {worth:f} is below the minimum of {instrument.min_notional}"


def lot_of(instrument: Instrument | None) -> Decimal:
    """Return the smallest step of an amount."""
    return _LOT if instrument is None else instrument.lot


def whole_lots(amount: Decimal, lot: Decimal) -> Decimal:
    """Return the amount rounded toward zero to the lot.

    Examples
    --------
    >>> whole_lots(Decimal("1.9"), Decimal("0.5"))
    Decimal('1.5')

    """
    return EXACT.multiply(EXACT.divide(amount, lot).to_integral_value(ROUND_DOWN), lot)


def contract_size(view: View) -> Decimal:
    """Return how many units of the base currency one unit of amount is."""
    return Decimal(1) if view.instrument is None else view.instrument.contract_size


def average_price(parts: list[Part]) -> Decimal:
    """Return the average price of parts; exact where they have one price.

    Examples
    --------
    >>> average_price([Part(Decimal(10), Decimal(1), Decimal(0)),
    ...                Part(Decimal(13), Decimal(2), Decimal(0))])
    Decimal('12')

    """
    prices = {part.price for part in parts}
    if len(prices) == 1:
        return prices.pop()
    return finest(EXACT.divide(worth(parts), total([part.amount for part in parts])))


def total(values: list[Decimal]) -> Decimal:
    """Return the exact sum."""
    result = _ZERO
    for value in values:
        result = EXACT.add(result, value)
    return result


def worth(parts: list[Part]) -> Decimal:
    """Return the sum of price times amount, in the quote currency for a contract of 1."""
    return total([EXACT.multiply(part.price, part.amount) for part in parts])


def furthest(levels: Levels, sign: int, max_slippage: float | None) -> float | None:
    """Return the worst price that an order may get, if there is one."""
    if max_slippage is None or not levels:
        return None
    return levels[0][0] * (1 + sign * max_slippage)


def finest(value: Decimal) -> Decimal:
    """Return the value with 18 decimals at most, halves to even."""
    if value.as_tuple().exponent >= -_PLACES:  # type: ignore[operator]
        return value
    return value.quantize(_FINEST, ROUND_HALF_EVEN, EXACT)
