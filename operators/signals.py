"""What a rule may answer: signals, how much to trade, and at which price."""

from __future__ import annotations

from datetime import timedelta
from math import isfinite
from typing import NamedTuple

from schemas import OrderKind, Signal, Time, Unit


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


def long(
    size: Size,
    reason: str = "",
    limit: float | None = None,
    post_only: bool = False,
    good_for: timedelta | None = None,
) -> Signal:
    """Want a long position of `size`.

    Parameters
    ----------
    size, reason
        How much, and why.
    limit
        The worst price; what is not to be had at once rests there. Without one the entry
        takes what the market gives.
    post_only
        Whether to rest only: an entry that would take from the book is refused instead.
    good_for
        How long it may rest; `None` is until it is called off.

    Raises
    ------
    ValueError
        When the limit is no price, or what only a limit can have comes without one.
    TypeError
        When the size is a bare number.

    Examples
    --------
    >>> long(quote(1_000), reason="cross").amount
    1000
    >>> long(base(1), limit=99.5, post_only=True, good_for=timedelta(seconds=30)).kind
    'post-only'

    """
    return _entry("long", size, reason, limit, post_only, good_for)


def short(
    size: Size,
    reason: str = "",
    limit: float | None = None,
    post_only: bool = False,
    good_for: timedelta | None = None,
) -> Signal:
    """Want a short position of `size`; the rest is as for `long`."""
    return _entry("short", size, reason, limit, post_only, good_for)


def leave(reason: str = "") -> Signal:
    """Want the position closed."""
    return Signal("", 0, "exit", 0.0, "base", reason)


def reverse(
    size: Size,
    reason: str = "",
    limit: float | None = None,
    post_only: bool = False,
    good_for: timedelta | None = None,
) -> Signal:
    """Want the position closed, and one of `size` the other way once it is; as for `long`."""
    return _entry("reverse", size, reason, limit, post_only, good_for)


def _entry(
    action: str,
    size: Size,
    reason: str,
    limit: float | None,
    post_only: bool,
    good_for: timedelta | None,
) -> Signal:
    if not isinstance(size, Size):
        msg = f"a size says of what: quote(1_000) or base(0.1), not {size!r}"
        raise TypeError(msg)
    if limit is None and (post_only or good_for is not None):
        msg = f"{'post_only' if post_only else 'good_for'} needs a limit, the price to rest at"
        raise ValueError(msg)
    if limit is not None and not (isfinite(limit) and limit > 0):
        msg = f"a limit is a price above 0, not {limit}"
        raise ValueError(msg)
    kind: OrderKind = "market" if limit is None else "post-only" if post_only else "limit"
    return Signal("", 0, action, size.amount, size.unit, reason, kind, limit, _rests(good_for))


def _rests(good_for: timedelta | None) -> Time:
    if good_for is None:
        return 0
    time = good_for // timedelta(microseconds=1) * 1000
    if time <= 0:
        msg = f"good_for must be above 0, not {good_for}"
        raise ValueError(msg)
    return time
