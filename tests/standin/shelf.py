"""Other people's orders: the recorded book, less what orders of ours took from it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import TypeAlias

from tests.standin.market import Market
from tests.standin.side import Side

Taken: TypeAlias = dict[tuple[int, int, Decimal], tuple[str, Decimal]]
"""By update of the book, sign and price: the size that was shown, and what was taken from it."""


class Shelf:
    """What one may take; what was taken is gone until the level shows another size.

    Parameters
    ----------
    market
        Whose book it is, as far as it was played.
    taken
        What was taken from each state of the book, if it is to be gone until the next state only.
    levels
        How deep one may see; `None` for all of it.

    """

    def __init__(
        self, market: Market, taken: Taken | None = None, levels: int | None = None
    ) -> None:
        self._market, self._levels = market, levels
        self._each = taken is not None
        self._taken: Taken = {} if taken is None else taken

    def offers(self, sign: int) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield prices and amounts for who buys (+1) or sells (-1), best first."""
        for text, size in islice(self._side(sign).walk(), self._levels):
            price = Decimal(text)
            yield price, Decimal(size) - self._gone(sign, price, size)

    def waiting(self, sign: int, price: Decimal) -> Decimal:
        """Return what waits at a price beside who buys (+1) or sells (-1)."""
        return Decimal(self._side(-sign).size(price))

    def take(self, sign: int, price: Decimal, amount: Decimal) -> None:
        """Take an amount away."""
        size = self._side(sign).size(price)
        self._taken[self._key(sign, price)] = size, amount + self._gone(sign, price, size)

    def changed(self) -> None:
        """Put back what was taken where the book shows another size."""
        if not self._each:
            for (key, sign, price), (size, _) in [*self._taken.items()]:
                if self._side(sign).size(price) != size:
                    del self._taken[key, sign, price]

    def _gone(self, sign: int, price: Decimal, size: str) -> Decimal:
        shown, gone = self._taken.get(self._key(sign, price), (size, Decimal(0)))
        return gone if shown == size else Decimal(0)

    def _key(self, sign: int, price: Decimal) -> tuple[int, int, Decimal]:
        return self._market.update if self._each else 0, sign, price

    def _side(self, sign: int) -> Side:
        return self._market.asks if sign > 0 else self._market.bids
