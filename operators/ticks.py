"""Prices in whole ticks."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from operators.paper import EXACT


def to_tick(price: float, tick: Decimal | None, sign: int) -> Decimal:
    """Return a price in whole ticks, rounded down (`sign` +1) or up (-1); once, and exactly.

    A buyer's limit and the stop of a long position go down, away from the market; a seller's
    limit and the stop of a short go up. Without a tick the price stays what it is.

    Examples
    --------
    >>> to_tick(100.07, Decimal("0.05"), 1), to_tick(100.07, Decimal("0.05"), -1)
    (Decimal('100.05'), Decimal('100.10'))

    """
    exact = Decimal(repr(price))
    if not tick:
        return exact
    rounding = ROUND_FLOOR if sign > 0 else ROUND_CEILING
    return EXACT.multiply(EXACT.divide(exact, tick).to_integral_value(rounding), tick)
