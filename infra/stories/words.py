"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import TypeAlias

from operators.currencies import currencies
from schemas import DAY, MINUTE, SECOND, Numbers, Time

Number: TypeAlias = float | Decimal

_HOUR = 60 * MINUTE
_MILLISECOND = 1_000_000


def short(number: Number) -> str:
    """Return a price or an amount; averages have many digits.

    Examples
    --------
    >>> short(Decimal("42302.700000001")), short(0.1 + 0.2)
    ('42,302.7', '0.3')

    """
    return f"{float(number):,.8g}"


def money(number: Number, market: str, *, signed: bool = True) -> str:
    """Return an amount of a market's quote currency.

    Examples
    --------
    >>> money(Decimal("-2.465281"), "sim:BTC/USDT"), money(0.000012345, "x:ETH/BTC", signed=False)
    ('−2.47 USDT', '0.0000123 BTC')

    """
    size = abs(float(number))
    places = 2 if size >= 1 or size == 0 else min(2 - _exponent(size), 8)
    text = f"{float(number):+,.{places}f}" if signed else f"{float(number):,.{places}f}"
    return f"{text.replace('-', '−')} {currencies(market).quote}".rstrip()


def bps(part: float) -> str:
    """Return a part of something in basis points.

    Examples
    --------
    >>> bps(-0.0024656)
    '−24.7 bps'

    """
    return f"{part * 1e4:+,.1f} bps".replace("-", "−").replace("−0.0", "0.0").replace("+0.0", "0.0")


def percent(part: float) -> str:
    """Return a part of a whole.

    Examples
    --------
    >>> percent(0.5612)
    '56.1 %'

    """
    return f"{part:.1%}".replace("%", " %").replace("-", "−")


def clock(ts: Time) -> str:
    """Return a time of the day, to the millisecond.

    Examples
    --------
    >>> clock(90 * MINUTE + 5_000_000)
    '01:30:00.005'

    """
    moment = datetime.fromtimestamp(ts // SECOND, timezone.utc)
    return f"{moment:%H:%M:%S}.{ts % SECOND // _MILLISECOND:03d}"


def day(ts: Time) -> str:
    """Return the day of a time.

    Examples
    --------
    >>> day(DAY + MINUTE)
    '1970-01-02'

    """
    return f"{datetime.fromtimestamp(ts // SECOND, timezone.utc):%Y-%m-%d}"


def lasted(time: Time) -> str:
    """Return how long something took.

    Examples
    --------
    >>> lasted(45 * SECOND + 250_000_000), lasted(1059 * SECOND), lasted(3 * DAY + 2 * _HOUR)
    ('45.2 s', '17 min 39 s', '3 d 2 h')

    """
    if time < MINUTE:
        return f"{time / SECOND:.3g} s"
    for whole, name, part, less in ((DAY, "d", _HOUR, "h"), (_HOUR, "h", MINUTE, "min")):
        if time >= whole:
            return f"{time // whole} {name} {time % whole // part} {less}"
    return f"{time // MINUTE} min {time % MINUTE // SECOND} s"


def named(numbers: Numbers) -> str:
    """Return numbers with their names.

    Examples
    --------
    >>> named({"sma5": 42381.24, "buy_share": 0.3757069})
    'sma5 42,381.24, buy_share 0.3757069'

    """
    return ", ".join(f"{name} {number:,.7g}" for name, number in numbers.items())


def _exponent(size: float) -> int:
    return int(f"{size:e}".partition("e")[2])
