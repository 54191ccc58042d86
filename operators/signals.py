"""What a rule may answer: signals, and how much to trade."""

from __future__ import annotations

from typing import NamedTuple

from schemas import Signal, Unit


class Size(NamedTuple):
    """How much to trade."""

    amount: float
    unit: Unit


def quote(amount: float) -> Size:
    """Return a size in the quote currency: `quote(1_000)` of BTC/USDT is 1,000 USDT's worth."""
    return Size(amount, "quote")


def base(amount: float) -> Size:
    """Return a size in units of the base currency (or contracts)."""
    return Size(amount, "base")


def long(size: Size, reason: str = "") -> Signal:
    """Want a long position of `size`.

    Examples
    --------
    >>> long(quote(1_000), reason="cross").amount
    1000

    """
    return Signal("", 0, "long", size.amount, size.unit, reason)


def short(size: Size, reason: str = "") -> Signal:
    """Want a short position of `size`."""
    return Signal("", 0, "short", size.amount, size.unit, reason)


def leave(reason: str = "") -> Signal:
    """Want the position closed."""
    return Signal("", 0, "exit", 0.0, "base", reason)


def reverse(size: Size, reason: str = "") -> Signal:
    """Want the position closed, and one of `size` the other way once it is."""
    return Signal("", 0, "reverse", size.amount, size.unit, reason)
