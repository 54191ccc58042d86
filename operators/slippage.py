"""Slippage: what a book promises an order before it is sent, and how much of it costs too much."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Literal, NamedTuple, TypeAlias

from operators.paper import EXACT, finest, total, walk, whole_lots
from schemas import Book, Levels

Walked: TypeAlias = list[tuple[Decimal, Decimal]]
"""Prices and amounts, level by level, best first."""

_BASIS_POINTS = 10_000
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class CostLimit:
    """How much an entry may cost: slippage against the mid price, and fees.

    Parameters
    ----------
    bps
        In basis points of its worth.
    otherwise
        What becomes of an entry that would cost more: `shrink` it to what fits, or `refuse` it.

    Raises
    ------
    ValueError
        When it is no limit, or no such choice.

    """

    bps: float
    otherwise: Literal["shrink", "refuse"] = "shrink"

    def __post_init__(self) -> None:
        if not (isfinite(self.bps) and self.bps >= 0):
            msg = f"bps must be a finite number of 0 or more, not {self.bps}"
            raise ValueError(msg)
        if self.otherwise not in ("shrink", "refuse"):
            msg = f"otherwise is 'shrink' or 'refuse', not {self.otherwise!r}"
            raise ValueError(msg)


class Promise(NamedTuple):
    """What a book promises an order."""

    amount: Decimal
    """What of the order the book holds."""
    average: Decimal | None
    worst: Decimal | None
    slippage_bps: float | None
    """How much worse than the mid price the average is; `None` without a mid price."""
    depth_left: Decimal
    """What this side of the book holds beyond the order."""


def promise(
    book: Book,
    taken: Decimal,
    amount: Decimal,
    sign: int,
    lot: Decimal,
    worst: float | None = None,
) -> Promise:
    """Return what an order of `amount` would get at once; see `walk` for the arguments.

    Examples
    --------
    >>> book = Book("binance:BTC/USDT", 0, [(99.0, 1.0)], [(101.0, 1.0), (102.0, 4.0)])
    >>> promise(book, Decimal(0), Decimal(2), 1, Decimal("0.1"))[1:4]
    (Decimal('101.5'), Decimal('102.0'), 150.0)

    """
    levels = side_of(book, sign)
    walked = walk(levels, taken, amount, sign, worst, lot)
    depth = total([whole_lots(Decimal(repr(size)), lot) for _, size in levels])
    left = EXACT.subtract(depth, min(taken, depth))
    if not walked:
        return Promise(_NOTHING, None, None, None, left)
    got = total([part for _, part in walked])
    average = _average(walked, got)
    middle = mid(book)
    slipped = None if middle is None else slippage(average, middle, sign)
    return Promise(got, average, walked[-1][0], slipped, EXACT.subtract(left, got))


def side_of(book: Book, sign: int) -> Levels:
    """Return the side of a book that an order takes from."""
    return book.asks if sign > 0 else book.bids


def mid(book: Book) -> Decimal | None:
    """Return the middle of the best prices; `None` where a side is empty."""
    if not (book.bids and book.asks):
        return None
    best = [Decimal(repr(levels[0][0])) for levels in (book.bids, book.asks)]
    return EXACT.divide(total(best), Decimal(2))


def slippage(price: Decimal, middle: Decimal, sign: int) -> float:
    """Return how much worse than the middle a price is, in basis points.

    Examples
    --------
    >>> slippage(Decimal("99.9"), Decimal(100), -1)
    10.0

    """
    off = EXACT.multiply(EXACT.subtract(price, middle), Decimal(sign * _BASIS_POINTS))
    return float(EXACT.divide(off, middle))


def edge(middle: Decimal, sign: int, bps: Decimal) -> Decimal:
    """Return the price that is `bps` worse than the middle."""
    part = EXACT.multiply(bps, Decimal("0.0001"))
    return EXACT.multiply(middle, EXACT.add(Decimal(1), EXACT.multiply(part, Decimal(sign))))


def fitting(walked: Walked, sign: int, price: Decimal, lot: Decimal) -> Decimal:
    """Return the most whole lots of a walk that cost `price` or better, on average.

    Each level that is better spares something, which a worse one may spend.

    Examples
    --------
    >>> walked = [(Decimal(101), Decimal(1)), (Decimal(103), Decimal(4))]
    >>> fitting(walked, 1, Decimal(102), Decimal("0.1"))
    Decimal('2.0')

    """
    amount = spared = _NOTHING
    for at, here in walked:
        over = EXACT.multiply(EXACT.subtract(at, price), Decimal(sign))
        more = here
        if over > 0:
            lots = EXACT.divide_int(spared, EXACT.multiply(over, lot))
            more = min(here, EXACT.multiply(lots, lot))
        amount = EXACT.add(amount, more)
        spared = EXACT.subtract(spared, EXACT.multiply(over, more))
    return amount


def _average(walked: Walked, amount: Decimal) -> Decimal:
    if len(walked) == 1:
        return walked[0][0]
    worth = total([EXACT.multiply(price, part) for price, part in walked])
    return finest(EXACT.divide(worth, amount))
