"""Other people's orders: the recorded book, less what orders of ours took from it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from tests.standin.market import Market
from tests.standin.side import Side


class Shelf:
    """What one may take; what was taken is gone until the level shows another size.

    Parameters
    ----------
    market
        Whose book it is, as far as it was played.

    """

    def __init__(self, market: Market) -> None:
        self.levels: int | None = None
        """How deep one may see; `None` for all of it."""
        self.whole = False
        """Whether any change of the book puts back all that was taken."""
        self._market = market
        self._taken: dict[tuple[int, Decimal], tuple[str, Decimal]] = {}
        """By sign and price: the size that was shown, and what was taken from it."""

    def offers(self, sign: int) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield prices and amounts for who buys (+1) or sells (-1), best first."""
        for text, size in islice(self._side(sign).walk(), self.levels):
            price = Decimal(text)
            shown, taken = self._taken.get((sign, price), (size, Decimal(0)))
            yield price, Decimal(size) - (taken if shown == size else 0)

    def waiting(self, sign: int, price: Decimal) -> Decimal:
        """Return what waits at a price beside who buys (+1) or sells (-1)."""
        return Decimal(self._side(-sign).size(price))

    def take(self, sign: int, price: Decimal, amount: Decimal) -> None:
        """Take an amount away."""
        size = self._side(sign).size(price)
        shown, taken = self._taken.get((sign, price), (size, Decimal(0)))
        self._taken[sign, price] = size, amount + (taken if shown == size else 0)

    def changed(self) -> None:
        """Put back what was taken where the book shows another size."""
        for (sign, price), (size, _) in [*self._taken.items()]:
            if self.whole or self._side(sign).size(price) != size:
                del self._taken[sign, price]

    def _side(self, sign: int) -> Side:
        return self._market.asks if sign > 0 else self._market.bids
