"""Which states of an order book are written."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import inf
from operator import gt, lt

from schemas import SECOND, Book, Levels, Time

PACE = SECOND // 10
"""At most one book of a market is written in so long, of our clock."""


class Books:
    """Let through what changed, at most each `PACE`: the newest wins, the last is not lost.

    A book brings the tape's time with it, so the trades in front of it must be there: it waits
    until one is stamped late enough, or anything came on their connection since.

    Examples
    --------
    >>> books = Books()
    >>> first, second = (Book("m", 1, [(7.0, size)], [(8.0, 1.0)]) for size in (1.0, 2.0))
    >>> books.offer(first, now=0)
    >>> books.due(now=0, heard=0, until=0), books.due(now=0, heard=0, until=1) is first
    (None, True)
    >>> books.offer(second, now=1)
    >>> books.due(now=1, heard=2, until=0), books.due(now=PACE, heard=2, until=0) is second
    (None, True)

    """

    __slots__ = ("_pending", "_pending_since", "_written", "_written_at")

    def __init__(self) -> None:
        self._written: Book | None = None
        self._written_at: Time = -PACE
        self._pending: Book | None = None
        self._pending_since: Time = 0

    def offer(self, book: Book, now: Time) -> None:
        """Take the newest state."""
        self._pending, self._pending_since = None if self._unchanged(book) else book, now

    def due(self, now: Time, heard: Time, until: Time) -> Book | None:
        """Return the state that is to be written now, if it waited long enough.

        Parameters
        ----------
        now
            Our clock.
        heard
            When anything came last on the connection of the trades, by our clock.
        until
            Up to which stamp a book needs no more proof.

        """
        book = self._pending
        if book is None or 0 <= now - self._written_at < PACE:
            return None
        if book.ts > until and heard <= self._pending_since:
            return None
        self._pending, self._written, self._written_at = None, book, now
        return book

    def drop(self) -> None:
        """Forget what waits: nobody knows whether it still holds."""
        self._pending = self._written = None

    def _unchanged(self, book: Book) -> bool:
        last = self._written
        return last is not None and last.bids == book.bids and last.asks == book.asks


def sound(book: Book) -> bool:
    """Tell whether a book has both sides, each from the best on, and is not crossed.

    Examples
    --------
    >>> sound(Book("m", 1, [(7.0, 1.0), (6.0, 1.0)], [(8.0, 1.0)]))
    True
    >>> sound(Book("m", 1, [(8.0, 1.0)], [(8.0, 1.0)])), sound(Book("m", 1, [], [(8.0, 1.0)]))
    (False, False)

    """
    bids, asks = book.bids, book.asks
    return bool(bids and asks) and bids[0][0] < asks[0][0] and _good(bids, gt) and _good(asks, lt)


def _good(levels: Levels, before: Callable[[float, float], bool]) -> bool:
    return all(0 < price < inf and 0 < size < inf for price, size in levels) and all(
        before(better, worse) for (better, _), (worse, _) in pairwise(levels)
    )
