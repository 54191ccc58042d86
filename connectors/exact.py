"""Exact money: sums and products of decimals that are never rounded, and steps they must fit."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Context, Decimal

from schemas.forms import canonical

EXACT = Context(prec=76)
"""Wide enough that no product or sum of prices, amounts and fees is ever rounded."""
NOTHING = Decimal(0)
_FINEST = Decimal("1e-18")


def add(*values: Decimal) -> Decimal:
    """Return the exact sum.

    Examples
    --------
    >>> add(Decimal("1e20"), Decimal("1e-20"))
    Decimal('100000000000000000000.00000000000000000001')

    """
    result = NOTHING
    for value in values:
        result = EXACT.add(result, value)
    return result


def less(value: Decimal, *others: Decimal) -> Decimal:
    """Return a value less others, exactly."""
    for other in others:
        value = EXACT.subtract(value, other)
    return value


def times(*values: Decimal) -> Decimal:
    """Return the exact product."""
    result = Decimal(1)
    for value in values:
        result = EXACT.multiply(result, value)
    return result


def part(value: Decimal, of: Decimal) -> Decimal:
    """Return a quotient, to 18 places.

    Examples
    --------
    >>> part(Decimal(2), Decimal(3))
    Decimal('0.666666666666666667')

    """
    return canonical(EXACT.divide(value, of).quantize(_FINEST, ROUND_HALF_EVEN, EXACT))


def stepped(value: Decimal, step: Decimal | None, up: bool = False) -> Decimal:
    """Return a value above 0 as a whole number of steps, the next one below it, or above.

    Examples
    --------
    >>> stepped(Decimal("1.9"), Decimal("0.5")), stepped(Decimal("1.9"), Decimal("0.5"), up=True)
    (Decimal('1.5'), Decimal('2.0'))

    """
    if not step:
        return value
    count = EXACT.divide(value, step).to_integral_value(ROUND_UP if up else ROUND_DOWN, EXACT)
    return EXACT.multiply(count, step)
