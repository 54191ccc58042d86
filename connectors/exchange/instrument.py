"""What an exchange says of a market, as exact decimals."""

from __future__ import annotations

from decimal import Decimal

from connectors.venue.venue import Json
from schemas import Instrument, Time

_DECIMAL_PLACES, _TICK_SIZE = 2, 4
"""How ccxt counts precision, by exchange; significant digits, its third way, are no step."""


def instrument(name: str, market: Json, mode: int, ts: Time, *, summed: bool = False) -> Instrument:
    """Return the instrument of a market.

    ccxt makes a float of each number's text, unless it is told not to. The shortest text of that
    float is a number of the same value for all of up to 15 digits, which is more than any exchange
    gives here.

    Parameters
    ----------
    name
        The market's full name.
    market
        ccxt's structure.
    mode
        ccxt's `precisionMode` of the exchange.
    ts
        The exchange's time.
    summed
        Whether its stream tells several trades as one.

    Examples
    --------
    >>> market = {"precision": {"amount": 1e-05, "price": 0.01}, "limits": {"cost": {"min": 5.0}}}
    >>> found = instrument("binance:BTC/USDT", market, mode=4, ts=7)
    >>> found.tick, found.lot, found.min_notional, found.contract_size, found.maker_fee
    (Decimal('0.01'), Decimal('0.00001'), Decimal('5'), Decimal('1'), None)

    """
    precision, limits = market.get("precision") or {}, market.get("limits") or {}
    smallest = (limits.get("amount") or {}).get("min")
    return Instrument(
        name,
        ts,
        tick=_step(precision.get("price"), mode),
        lot=_step(precision.get("amount"), mode) or _exact(smallest) or Decimal(0),
        min_notional=_exact((limits.get("cost") or {}).get("min")) or Decimal(0),
        contract_size=_exact(market.get("contractSize")) or Decimal(1),
        maker_fee=_exact(market.get("maker")),
        taker_fee=_exact(market.get("taker")),
        summed=summed,
    )


def _step(precision: float | str | None, mode: int) -> Decimal | None:
    if precision is None:
        return None
    if mode == _TICK_SIZE:
        return _exact(precision)
    return _plain(Decimal(10) ** -int(precision)) if mode == _DECIMAL_PLACES else None


def _exact(number: float | str | None) -> Decimal | None:
    return None if number is None else _plain(Decimal(str(number)))


def _plain(number: Decimal) -> Decimal:
    """Return a number without its trailing zeros, and without an exponent."""
    return Decimal(format(number.normalize(), "f"))
