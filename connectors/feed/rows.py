"""Trades one by one, gathered into slices."""

from __future__ import annotations

import numpy as np

from connectors.exchange.rest_trades import Traded
from connectors.feed.ids import whole
from schemas import Columns, Time, Trades
from schemas.trades import Ids


class Rows:
    """Gather consecutive trades of a market until their slice is wanted.

    Ids are whole numbers up to the first one that is none, texts from there on, as in every
    store; a slice has ids of one kind.

    Examples
    --------
    >>> rows = Rows("m")
    >>> rows.add(Traded("7", 1, 2.0, 3.0, 1), received=5)
    >>> rows.add(Traded("x", 2, 2.0, 3.0, 1), received=5)
    >>> [trades.id for trades in rows.take()]
    [array([7]), array(['x'], dtype=object)]

    """

    def __init__(self, market: str) -> None:
        self.market = market
        self._texts = False
        self._kind: type | None = None
        self._rows: list[tuple[Traded, Time]] = []
        self._slices: list[Trades] = []

    def add(self, trade: Traded, received: Time) -> None:
        """Take the next trade."""
        self._texts = self._texts or bool(trade.id and whole(trade.id) is None)
        kind = None if not trade.id else str if self._texts else int
        if self._rows and kind is not self._kind:
            self._cut()
        self._kind = kind
        self._rows.append((trade, received))

    def take(self) -> list[Trades]:
        """Return the trades since the last call."""
        if self._rows:
            self._cut()
        slices, self._slices = self._slices, []
        return slices

    def _cut(self) -> None:
        trades, received = zip(*self._rows, strict=True)
        ids, ts, price, size, side, _ = zip(*trades, strict=True)
        stamps = np.array(ts, np.int64)
        columns = Columns(
            stamps,
            np.array(price, np.float64),
            np.array(size, np.float64),
            np.array(side, np.int8),
            self._ids(ids),
            stamps,
            np.array(received, np.int64),
        )
        self._slices.append(Trades(self.market, columns, 0, len(columns)))
        self._rows = []

    def _ids(self, ids: tuple[str, ...]) -> Ids | None:
        if self._kind is None:
            return None
        return np.array(ids, object) if self._kind is str else np.array([*map(int, ids)], np.int64)
