"""Ids of one market's trades as an exchange sends them: which were seen, and whether they count."""

from __future__ import annotations

from typing import TypeAlias

from schemas import as_ids

REMEMBERED = 100_000
"""How many of the last ids are remembered."""
TRUSTED = 20
"""From this score on, the ids of a market count as consecutive."""
_SCORE_MAX = 1000
_PAGE = 1024

_Place: TypeAlias = tuple[int | str, int]
"""The page an id is on, and its bit there."""


def whole(id_: str) -> int | None:
    """Return an id as a whole number, if every store would give it back as one.

    Examples
    --------
    >>> whole("12"), whole("007"), whole("a7"), whole("")
    (12, None, None, None)

    """
    if not id_.isdigit():
        return None
    number = as_ids([id_]).item(0)
    return number if isinstance(number, int) else None


class SeenIds:
    """Remember about the last `limit` ids of a market, at least.

    Whole numbers share a page with their neighbours, so that consecutive ones take next to no
    room; the oldest page is forgotten whole. No id at all is never seen.

    Examples
    --------
    >>> seen = SeenIds()
    >>> seen.add("17")
    >>> "17" in seen, "18" in seen, "" in seen
    (True, False, False)

    """

    __slots__ = ("_count", "_limit", "_pages")

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._count = 0
        self._pages: dict[int | str, int] = {}

    def __contains__(self, id_: str) -> bool:
        page, bit = _place(id_)
        return bool(self._pages.get(page, 0) & bit)

    def add(self, id_: str) -> None:
        """Remember an id."""
        if not id_ or id_ in self:
            return
        page, bit = _place(id_)
        self._pages[page] = self._pages.get(page, 0) | bit
        self._count += 1
        while self._count > self._limit:
            oldest = next(iter(self._pages))
            size = self._pages[oldest].bit_count()
            if self._count - size < self._limit:
                break
            del self._pages[oldest]
            self._count -= size


def _place(id_: str) -> _Place:
    number = whole(id_)
    return (id_, 1) if number is None else (number // _PAGE, 1 << number % _PAGE)


class Steps:
    """Learn whether a market's ids go up one by one, so that a jump is a hole.

    Each step of one scores a point, each jump costs `TRUSTED`, as at the tape entry. A trade that
    is the sum of several steps over all of their ids.

    Examples
    --------
    >>> steps = Steps()
    >>> for id_ in range(21):
    ...     steps.take(id_)
    >>> steps.trusted, steps.top
    (True, 20)

    """

    __slots__ = ("_score", "top")

    def __init__(self) -> None:
        self.top: int | None = None
        """The greatest id, if it is a whole number."""
        self._score = 0

    @property
    def trusted(self) -> bool:
        """Whether a jump is a hole."""
        return self._score >= TRUSTED

    def take(self, id_: int, parts: int = 1) -> None:
        """Learn from the id of the next trade."""
        if self.top is None:
            self.top = id_
        elif id_ > self.top:
            if id_ - parts == self.top:
                self._score = min(self._score + 1, _SCORE_MAX)
            else:
                self._score = max(self._score - TRUSTED, 0)
            self.top = id_

    def skip(self, id_: int) -> None:
        """Go on right behind `id_`: the hole in front of it is known."""
        self.top = id_ if self.top is None else max(self.top, id_)
