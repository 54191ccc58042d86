"""The ids of one market's trades: whole numbers, texts, or none, however its rows are cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from connectors.recordings import cells
from schemas import Trades, as_ids
from schemas.trades import Ids

_GREATEST = 10**18
"""A whole number from here on is not taken for one where ids are texts."""


class MarketIds:
    """Ids of consecutive trades, and where they change their kind.

    They are whole numbers up to the first one that is none. From there on they are texts, even
    those of digits. What has no id has none.

    Parameters
    ----------
    ids
        As they were read.
    missing
        Where there is none, if it lacks anywhere.
    texts
        Whether they were texts already.

    Examples
    --------
    >>> ids = MarketIds(np.array(["7", "x", "8"], object), None, texts=False)
    >>> ids.edges, ids.of(0, 1), ids.of(1, 3), ids.texts
    ([1], array([7]), array(['x', '8'], dtype=object), True)

    """

    __slots__ = ("_ids", "_missing", "_texts_from", "edges", "texts")

    def __init__(self, ids: Ids | None, missing: NDArray[np.bool_] | None, texts: bool) -> None:
        self._ids, self._missing = ids, missing
        self._texts_from = 0 if texts else _first_text(ids, missing)
        count = 0 if ids is None else len(ids)
        self.texts = self._texts_from < count or texts
        changes = set() if missing is None else {*(np.flatnonzero(np.diff(missing)) + 1).tolist()}
        if 0 < self._texts_from < count:
            changes.add(self._texts_from)
        self.edges = sorted(changes)
        """Places where a trade has ids of another kind than the one in front of it."""

    def of(self, start: int, stop: int) -> Ids | None:
        """Return the ids of some trades with no edge between them."""
        if self._ids is None or (self._missing is not None and self._missing[start]):
            return None
        ids = self._ids[start:stop]
        if start < self._texts_from:
            return as_ids(ids)
        return ids if ids.dtype == object else cells.texts_of(ids)


def settled(trades: Trades, texts: set[str]) -> Iterator[Trades]:
    """Yield trades with ids of the kind that every store gives back: see `MarketIds`.

    Parameters
    ----------
    trades
        As a message or a table has them: an empty id is none.
    texts
        Markets whose ids are texts; once they are, they stay so. Grows.

    Examples
    --------
    >>> trades = Trades.of("okx:A", [1] * 3, [7.0] * 3, [1.0] * 3, id=["8", "x", "9"])
    >>> [part.id.tolist() for part in settled(trades, set())]
    [[8], ['x', '9']]

    """
    ids, market = trades.id, trades.market
    if ids is None or (ids.dtype != object and market not in texts and _plain(ids)):
        yield trades
        return
    if ids.dtype != object and not _plain(ids):
        ids = cells.texts_of(ids)
    missing = ids == ""
    kinds = MarketIds(ids, missing if missing.any() else None, market in texts)
    if kinds.texts:
        texts.add(market)
    for start, stop in pairwise([0, *kinds.edges, len(ids)]):
        part = trades.columns.take(slice(trades.start + start, trades.start + stop))
        part.id = kinds.of(start, stop)
        yield Trades(market, part, 0, stop - start)


def _plain(ids: Ids) -> bool:
    """Tell whether whole numbers are still so when they have been texts in between."""
    return bool(ids.min() >= 0 and ids.max() < _GREATEST)


def _first_text(ids: Ids | None, missing: NDArray[np.bool_] | None) -> int:
    if ids is None:
        return 0
    if ids.dtype == object:
        for place, id_ in enumerate(ids.tolist()):
            if (missing is None or not missing[place]) and as_ids([id_]).dtype == object:
                return place
    return len(ids)
