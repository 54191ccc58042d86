"""The last candles of a market, kept once for all who look at it."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

Row = tuple[dict[str, Any], dict[str, float | None]]
"""A candle and the averages behind it, by name."""

_KEPT = 600


class Ring:
    """The last candles, each with a number that grows when it comes or changes.

    Examples
    --------
    >>> ring = Ring()
    >>> ring.take({"seq": [1, 2], "close": [7.0, 8.0]}, {"sma2": [None, 7.5]})
    >>> ring.since(0)
    (2, False, {'seq': [1, 2], 'close': [7.0, 8.0]}, {'sma2': [None, 7.5]})
    >>> ring.since(2)[2]
    {}

    """

    def __init__(self) -> None:
        self._rows: OrderedDict[int, tuple[int, Row]] = OrderedDict()
        self._number = 0
        self._lost = 0
        """The number of the last one that is not kept any more."""
        self._lock = Lock()

    def take(self, candles: dict[str, list[Any]], averages: dict[str, list[float | None]]) -> None:
        """Take in candles; those that are known already only if they differ."""
        with self._lock:
            for place, seq in enumerate(candles["seq"]):
                row: Row = (
                    {name: column[place] for name, column in candles.items()},
                    {name: column[place] for name, column in averages.items()},
                )
                known = self._rows.get(seq)
                if known is None or known[1] != row:
                    self._number += 1
                    self._rows[seq] = (self._number, row)
            while len(self._rows) > _KEPT:
                _, (number, _) = self._rows.popitem(last=False)
                self._lost = max(self._lost, number)

    def skip(self) -> None:
        """Forget all: some that follow were left out."""
        with self._lock:
            self._rows.clear()
            self._lost = self._number

    def behind(self, rows: int) -> int:
        """Return the place in front of the last rows; -1 if there are no more."""
        with self._lock:
            seqs = list(self._rows)[-rows - 1 : -rows]
        return seqs[0] if seqs else -1

    def last(self) -> int:
        """Return the place of the last candle; -1 if there is none."""
        with self._lock:
            return next(reversed(self._rows), -1)

    def since(
        self, number: int
    ) -> tuple[int, bool, dict[str, list[Any]], dict[str, list[float | None]]]:
        """Return what came behind a number: the number now, whether some were lost, and both."""
        with self._lock:
            rows = [row for at, row in self._rows.values() if at > number]
            now, lost = self._number, 0 < number < self._lost
        names = dict.fromkeys(name for _, averages in rows for name in averages)
        candles = {name: [c[name] for c, _ in rows] for name in (rows[0][0] if rows else ())}
        return now, lost, candles, {name: [a.get(name) for _, a in rows] for name in names}
