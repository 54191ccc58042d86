"""When a disk is full: parts that grow, some of them up to a limit, on what is free."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Part(NamedTuple):
    """Something that takes room on a disk.

    Parameters
    ----------
    name
        As people call it.
    bytes
        What it takes now.
    daily
        How many bytes come in a day, as the last day was; None if that cannot be told.
    most
        How large it gets; None is without end.
    remedy
        What would keep it smaller.

    """

    name: str
    bytes: int
    daily: float | None = None
    most: float | None = None
    remedy: str = ""

    def grown(self, days: float) -> float:
        """Return the bytes that it takes more after so many days.

        Examples
        --------
        >>> log = Part("log", 1_000, daily=500, most=2_000)
        >>> log.grown(1), log.grown(7)
        (500, 1000)

        """
        more = (self.daily or 0) * days
        return more if self.most is None else min(more, max(self.most - self.bytes, 0))


def days_until_full(parts: Iterable[Part], free: float) -> float | None:
    """Return after how many days parts have taken what is free; None if they never do.

    Examples
    --------
    >>> log, books = Part("log", 0, daily=10, most=50), Part("books", 0, daily=1)
    >>> days_until_full([log], 100), days_until_full([log, books], 100)
    (None, 50.0)

    """
    growing = [part for part in parts if part.daily and part.grown(float("inf")) > 0]
    kinks = sorted({(p.most - p.bytes) / p.daily for p in growing if p.most and p.daily})
    before = 0.0
    for kink in [*kinks, None]:
        taken = sum(part.grown(before) for part in growing)
        daily = sum(p.daily or 0 for p in growing if p.grown(before + 1e-9) > p.grown(before))
        days = before + (free - taken) / daily if daily else None
        if days is not None and (kink is None or days <= kink):
            return max(days, 0.0)
        before = kink if kink is not None else before
    return None
