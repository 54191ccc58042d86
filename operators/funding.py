"""Funding on paper: what holding a perpetual costs or brings, once for each time it is due."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from operators.currencies import currencies
from operators.paper import EXACT, finest
from schemas import Time, Value

RATE = "funding"
"""The series of the rate that will be paid next."""
DUE = "funding_due"
"""The series of the time at which it will be, in seconds since 1970-01-01 UTC."""

_MILLISECOND: Time = 1_000_000


@dataclass(slots=True)
class Funding:
    """When a market's funding is due next, and at which rate. It pickles."""

    rate: Decimal = Decimal(0)
    due: Time | None = None
    """The next time of payment, while nothing was done about it."""
    got: Decimal = Decimal(0)
    """What the present position got, in the quote currency; below 0 if it paid."""

    def note(self, value: Value) -> None:
        """Take a number of the exchange into account, in a perpetual's market.

        Examples
        --------
        >>> funding = Funding()
        >>> funding.note(Value("binance:BTC/USDT:USDT", 0, "funding_due", 28_800.0))
        >>> funding.due
        28800000000000

        """
        if not currencies(value.market).derivative:
            return
        if value.series == RATE and abs(value.value) < 1:
            self.rate = Decimal(repr(value.value))
        elif value.series == DUE and isfinite(value.value * 1000):
            due = round(value.value * 1000) * _MILLISECOND
            if due > value.ts:
                self.due = due

    def lapse(self, ts: Time) -> None:
        """Forget what was due up to `ts`: nothing was held."""
        if self.due is not None and ts >= self.due:
            self.due = None

    def pay(self, units: Decimal, price: Decimal, sign: int) -> None:
        """Pay what is due, once: of a positive rate, longs pay and shorts get the part."""
        self.due = None
        if not units:
            return
        cost = EXACT.multiply(EXACT.multiply(units, price), self.rate)
        self.got = EXACT.subtract(self.got, finest(EXACT.multiply(cost, Decimal(sign))))
