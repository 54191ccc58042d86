"""What a market allows, and what it costs to trade there."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from tests.standin.capture import Capture
from tests.standin.orders import Fee, RefusedError, Wanted

_LEAST = {"spot": Decimal(5), "usdm": Decimal(100)}
FINEST = Decimal("1e-8")
"""What money is counted in where it has to be rounded."""


@dataclass(frozen=True)
class Rules:
    """The steps and the minimum of a market's orders."""

    market: str
    kind: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    least: Decimal
    """Worth of the smallest order, in the quote currency."""

    @classmethod
    def of(cls, capture: Capture) -> Rules:
        """Return those of a recorded market."""
        steps = capture.tick, capture.lot, _LEAST[capture.kind]
        return cls(capture.name, capture.kind, capture.base, capture.quote, *steps)

    def check(self, wanted: Wanted, last: Decimal) -> None:
        """Refuse an order that does not fit, at the last trade's price."""
        if wanted.amount <= 0 or wanted.amount % self.lot:
            raise RefusedError("lot")
        for price in (wanted.price, wanted.stop_price):
            if price is not None and (price <= 0 or price % self.tick):
                raise RefusedError("tick")
        worth = wanted.amount * (wanted.price or wanted.stop_price or last)
        if not wanted.reduce_only and worth < self.least:
            raise RefusedError("notional")


@dataclass(frozen=True)
class Fees:
    """What a fill costs, and in which currency.

    Parameters
    ----------
    maker, taker
        Share of what was traded.
    currency
        `received` is the base currency of a spot buy and the quote currency of all else; `quote`
        is always the quote currency; any other is a third currency, used while there is enough.
    price
        What one of the third currency is worth, in the quote currency.

    Examples
    --------
    >>> Fees(taker=Decimal("0.001"), currency="BNB").third(Decimal(50_000), maker=False)
    (Decimal('0.10000000'), 'BNB')

    """

    maker: Decimal = Decimal("0.0002")
    taker: Decimal = Decimal("0.0005")
    currency: str = "received"
    price: Decimal = Decimal(500)

    def rate(self, maker: bool) -> Decimal:
        """Return the share that is taken."""
        return self.maker if maker else self.taker

    def own(self, rules: Rules, sign: int, price: Decimal, amount: Decimal, maker: bool) -> Fee:
        """Return the fee of a fill in one of the market's own currencies."""
        if self.currency != "quote" and rules.kind == "spot" and sign > 0:
            return _rounded(amount * self.rate(maker)), rules.base
        return _rounded(price * amount * self.rate(maker)), rules.quote

    def third(self, worth: Decimal, maker: bool) -> Fee | None:
        """Return the fee of a fill in the third currency; `None` without one."""
        if self.currency in {"received", "quote"}:
            return None
        return _rounded(worth * self.rate(maker) / self.price), self.currency


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(FINEST, ROUND_HALF_EVEN)
