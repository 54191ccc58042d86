"""Limits of one market: what an entry must keep within, judged on the tape. Exits always go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import isfinite

from operators.paper import EXACT, View, contract_size
from operators.slippage import slippage
from schemas import SECOND, Time

_MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Sight:
    """Whether the tape is whole, or something of it was not seen. It pickles."""

    blind: bool = False
    """A `Gap` came, and no book yet; in a market without books, no trade."""
    since: Time | None = None
    """The tape time of what ended the last gap."""

    def clear(self, ts: Time) -> None:
        """Take what stands at tape time `ts` for the end of the gap."""
        self.blind, self.since = False, ts


@dataclass(frozen=True)
class Limits:
    """What an entry must keep within, or it is refused.

    Parameters
    ----------
    max_order
        The greatest worth of an entry, in the quote currency.
    max_position
        The greatest position, in units of the base currency.
    price_band_bps
        How much worse than the last trade the worst price of an entry may be: its limit, or the
        last level of the book that it needs.
    max_book_age_ms
        In a market that has books: how old the last one may be.
    need_book
        Whether there must be a book at all.
    after_gap
        How long to wait behind the end of a `Gap`. It ends with a book; in a market without
        books, with a trade.

    Raises
    ------
    ValueError
        When a limit is not above 0, or a time below 0.

    """

    max_order: float | None = None
    max_position: float | None = None
    price_band_bps: float | None = None
    max_book_age_ms: float = 1000.0
    need_book: bool = False
    after_gap: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        for name in ("max_order", "max_position", "price_band_bps"):
            value = getattr(self, name)
            if value is not None and not (isfinite(value) and value > 0):
                msg = f"{name} must be a finite number above 0, not {value}"
                raise ValueError(msg)
        if not (isfinite(self.max_book_age_ms) and self.max_book_age_ms >= 0):
            msg = (
                f"max_book_age_ms must be a finite number of 0 or more, not {self.max_book_age_ms}"
            )
            raise ValueError(msg)
        if self.after_gap < timedelta(0):
            msg = f"after_gap must be 0 or more, not {self.after_gap}"
            raise ValueError(msg)

    def unseen(self, ts: Time, view: View, sight: Sight) -> str:
        """Return what an entry at tape time `ts` could not see; nothing if it sees all it must."""
        if sight.blind:
            return f"there is a gap, and no {'trade' if view.book is None else 'book'} behind it"
        wait = self.after_gap // _MICROSECOND * 1000
        if sight.since is not None and ts - sight.since < wait:
            past = (ts - sight.since) / SECOND
            return f"a gap ended {past:g} s ago, and {wait / SECOND:g} s are to pass"
        if view.book is None:
            return "there is no book" if self.need_book else ""
        age = (ts - view.book.stamp) / SECOND * 1000
        if age <= self.max_book_age_ms:
            return ""
        return f"the book is {age:g} ms old, and at most {self.max_book_age_ms:g} are allowed"

    def excess(self, amount: Decimal, price: Decimal, worst: Decimal, sign: int, view: View) -> str:
        """Return which limit an entry is beyond, with the figures; nothing if it is within all.

        Parameters
        ----------
        amount
            In lots.
        price, worst
            What it is sized by, and the worst it may get.
        sign
            +1 buys, -1 sells.
        view
            What is known of the market.

        """
        units = EXACT.multiply(amount, contract_size(view))
        cost = EXACT.multiply(units, price)
        if self.max_order is not None and cost > Decimal(repr(self.max_order)):
            return f"an order worth {cost:f} is above the limit of {self.max_order:g}"
        if self.max_position is not None and units > Decimal(repr(self.max_position)):
            return f"a position of {units:f} is above the limit of {self.max_position:g}"
        if self.price_band_bps is None or view.price is None:
            return ""
        off = slippage(worst, Decimal(repr(view.price)), sign)
        if off <= self.price_band_bps:
            return ""
        return (
            f"{worst:f} is {off:.2f} bps worse than the last trade at {view.price}, "
            f"and {self.price_band_bps:g} are allowed"
        )
