"""One side of a book, in order at all times."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal


class Side:
    """Sizes by price, both as the exchange writes them.

    Parameters
    ----------
    levels
        Price and size of each.
    falling
        Whether the highest price is the best.

    Examples
    --------
    >>> bids = Side([["9.5", "1"], ["9.7", "2"]], falling=True)
    >>> bids.change([["9.6", "4"], ["9.5", "0.0"]])
    >>> bids.best(5)
    [['9.7', '2'], ['9.6', '4']]
    >>> bids.size(Decimal("9.600"))
    '4'

    """

    def __init__(self, levels: Iterable[Sequence[str]], falling: bool) -> None:
        self._sign = -1.0 if falling else 1.0
        self._sizes: dict[str, str] = {}
        self._order: list[tuple[float, str]] = []
        self.change(levels)

    def change(self, levels: Iterable[Sequence[str]]) -> None:
        """Set sizes; those of zero go."""
        for price, size in levels:
            place = self._sign * float(price), price
            if not float(size):
                if self._sizes.pop(price, None) is not None:
                    del self._order[bisect_left(self._order, place)]
                continue
            if price not in self._sizes:
                insort(self._order, place)
            self._sizes[price] = size

    def best(self, limit: int) -> list[list[str]]:
        """Return the best levels, best first."""
        return [[price, self._sizes[price]] for _, price in self._order[:limit]]

    def walk(self) -> Iterator[tuple[str, str]]:
        """Yield all levels, best first."""
        for _, price in self._order:
            yield price, self._sizes[price]

    def size(self, price: Decimal) -> str:
        """Return the size at a price, however it is written; 0 without any."""
        value = self._sign * float(price)
        place = bisect_left(self._order, (value, ""))
        if place < len(self._order) and self._order[place][0] == value:
            return self._sizes[self._order[place][1]]
        return "0"
