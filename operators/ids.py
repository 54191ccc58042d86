"""Trade ids seen: which trade came before, and where ids were skipped."""

from __future__ import annotations

from collections import OrderedDict, deque

import numpy as np

from schemas.trades import Ids

REMEMBERED = 100_000
"""How many of the last ids are remembered."""
TRUSTED = 20
"""From this score on, the ids of a market count as consecutive."""
_SCORE_MAX = 1000


class SeenIds:
    """Remember the last ids of a market, as spans of consecutive ones.

    Whole numbers that mostly go up by one are consecutive: each step of one scores a point,
    each jump costs `TRUSTED`, and a jump above that score is a hole. Texts have no holes, nor
    have ids that `jump`.

    Examples
    --------
    >>> seen = SeenIds()
    >>> seen.calm(np.arange(30)), seen.add_all(np.arange(30))
    (True, None)
    >>> seen.calm(np.array([35])), seen.hole(35), seen.repeated(29)
    (False, (30, 34), True)

    """

    __slots__ = ("_announced", "_count", "_score", "_spans", "_texts", "_top", "jump")

    def __init__(self) -> None:
        self._spans: deque[tuple[int, int]] = deque()
        self._count = 0
        self._top: int | None = None
        self._score = 0
        self._announced = False
        self.jump = False
        """Whether the market's ids jump though nothing is missing."""
        self._texts: OrderedDict[str, None] = OrderedDict()  # a dict is slow to forget its first

    def calm(self, ids: Ids) -> bool:
        """Tell whether all these ids are new and no hole opens in front of any of them."""
        if ids.dtype == object:
            texts = set(ids.tolist())
            return len(texts) == len(ids) and self._texts.keys().isdisjoint(texts)
        if self._top is None:
            first, steps = 0, np.diff(ids)
        else:
            first, steps = 1, np.diff(ids, prepend=self._top)
        if len(steps) and steps.min() < 1:
            return False
        if self.jump or (
            int(ids[-1]) - int(ids[0]) == len(ids) - 1 and (not first or steps[0] == 1)
        ):
            return True
        score, done = self._score, 0
        for jump in np.flatnonzero(steps != 1).tolist():
            score = min(score + jump - done, _SCORE_MAX)
            known = self._announced and first == 1 and jump == 0
            if score >= TRUSTED and not known:
                return False
            score, done = max(score - TRUSTED, 0), jump + 1
        return True

    def follow(self, id_: int | str) -> bool:
        """Remember `id_` if it is the one right behind the greatest, and tell whether it was."""
        if self._top is None or id_ != self._top + 1:
            return False
        self._add_span(self._top + 1, self._top + 1)
        self._announced = False
        self._trim()
        return True

    def follow_all(self, ids: Ids) -> bool:
        """Remember `ids` if they go on by one from the greatest, and tell whether they did."""
        if ids.dtype == object or self._top is None:
            return False
        first, last = ids.item(0), ids.item(-1)
        one_by_one = last - first == len(ids) - 1 and bool((ids[1:] > ids[:-1]).all())
        if first != self._top + 1 or not one_by_one:
            return False
        self._add_span(first, last)
        self._announced = False
        self._trim()
        return True

    def repeated(self, id_: int | str) -> bool:
        """Tell whether this id is among the last `REMEMBERED` seen."""
        if isinstance(id_, str):
            return id_ in self._texts
        if self._top is None or id_ > self._top:
            return False
        return any(first <= id_ <= last for first, last in self._spans)

    def hole(self, id_: int | str) -> tuple[int, int] | None:
        """Return the first and last id that are missing in front of this new one."""
        top = self._top
        if self.jump or isinstance(id_, str) or top is None or id_ <= top + 1:
            return None
        return (top + 1, id_ - 1) if self._score >= TRUSTED and not self._announced else None

    def announce(self) -> None:
        """Take the next jump as known: the feed itself told of the hole."""
        self._announced = True

    def add_all(self, ids: Ids) -> None:
        """Remember new ids."""
        if ids.dtype == object:
            self._texts.update(dict.fromkeys(ids.tolist()))
            while len(self._texts) > REMEMBERED:
                self._texts.popitem(last=False)
            return
        first, last, top = int(ids[0]), int(ids[-1]), self._top
        if last - first == len(ids) - 1 and (len(ids) == 1 or bool((np.diff(ids) == 1).all())):
            self._add_span(first, last)
        else:
            breaks = np.flatnonzero(np.diff(ids) != 1)
            starts = ids[np.concatenate(([0], breaks + 1))].tolist()
            ends = ids[np.concatenate((breaks, [len(ids) - 1]))].tolist()
            for start, end in zip(starts, ends, strict=True):
                self._add_span(start, end)
        if top is None or last > top:
            self._announced = False
        self._trim()

    def _add_span(self, first: int, last: int) -> None:
        top, size = self._top, last - first + 1
        if top is None or first > top + 1:
            self._score = max(self._score - (0 if top is None else TRUSTED), 0) + size - 1
        elif first == top + 1:
            self._score += size
        self._score = min(self._score, _SCORE_MAX)
        if self._spans and self._spans[-1][1] == first - 1:
            self._spans[-1] = (self._spans[-1][0], last)
        else:
            self._spans.append((first, last))
        self._count += size
        self._top = last if top is None else max(top, last)

    def _trim(self) -> None:
        """Forget what is older than the last `REMEMBERED`."""
        while self._count > REMEMBERED:
            excess = self._count - REMEMBERED
            first, last = self._spans.popleft()
            self._count -= last - first + 1
            if last - first + 1 > excess:
                self._spans.appendleft((first + excess, last))
                self._count = REMEMBERED
