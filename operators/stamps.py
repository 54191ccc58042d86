"""Which stamps to believe: a bad one must not drive the tape's time."""

from __future__ import annotations

from collections import deque
from statistics import median_low

import numpy as np

from schemas import DAY, MINUTE, Time
from schemas.trades import Int64

LIMIT = MINUTE
"""How far ahead of its market's usual distance to our clock a stamp may be."""
JUDGED_FROM = 20
"""How many stamps with an arrival time are seen before one is judged by it."""
WINDOW = 101
"""Over how many stamps the usual distance is the median."""
AGREE = {True: 20, False: 3}
"""How many implausible stamps in a row, each near the last, are believed: judged by distance
they are a step of the clock, judged by their jump the end of a silence."""


class Stamps:
    """Judge stamps: by their distance to our clock where it is known, else by their jump.

    With an arrival time: implausible is what is more than `LIMIT` ahead of the running median of
    `stamp - received`. Without, and until enough are seen: what jumps more than a day beyond the
    latest stamp; the very first, beyond its arrival.

    Examples
    --------
    >>> stamps = Stamps()
    >>> stamps.believe(1_000, None)
    >>> stamps.plausible(1_000 + DAY, None), stamps.plausible(1_001 + DAY, None)
    (True, False)

    """

    __slots__ = ("_distances", "_latest")

    def __init__(self) -> None:
        self._latest: Time | None = None
        self._distances: deque[int] = deque(maxlen=WINDOW)

    def plausible(self, stamp: Time, received: Time | None) -> bool:
        """Tell whether this stamp is plausible."""
        if received is None or not self.by_distance(received):
            return stamp - self._before(stamp, received) <= DAY
        distance = stamp - received
        if distance - min(self._distances) <= LIMIT:  # no median can lie below the least
            return True
        return distance - median_low(self._distances) <= LIMIT

    def calm(self, stamps: Int64, received: Int64 | None) -> bool:
        """Tell whether all these stamps, in this order, are sure to be plausible."""
        if received is None:
            return self._no_jump(stamps)
        if len(self._distances) < JUDGED_FROM:
            return False
        distances = stamps - received
        lowest = min(*self._distances, int(distances.min()))
        return int(distances.max()) - lowest <= LIMIT

    def believe(self, stamp: Time, received: Time | None) -> None:
        """Take a plausible stamp into account."""
        if self._latest is None or stamp > self._latest:
            self._latest = stamp
        if received is not None:
            self._distances.append(stamp - received)

    def believe_all(self, stamps: Int64, received: Int64 | None) -> None:
        """Take plausible stamps into account."""
        latest = int(stamps.max())
        self._latest = latest if self._latest is None else max(self._latest, latest)
        if received is not None:
            self._distances.extend((stamps[-WINDOW:] - received[-WINDOW:]).tolist())

    def by_distance(self, received: Time | None) -> bool:
        """Tell whether a stamp is judged by its distance to our clock, and not by its jump."""
        return received is not None and len(self._distances) >= JUDGED_FROM

    def step(self) -> None:
        """Forget what was usual: the clock has made a step, or the feed was away."""
        self._latest = None
        self._distances.clear()

    def _before(self, stamp: Time, received: Time | None) -> Time:
        """Return what a jump is measured from: at first, our own clock if it is known."""
        if self._latest is not None:
            return self._latest
        return stamp if received is None else received

    def _no_jump(self, stamps: Int64) -> bool:
        latest = int(stamps[0]) if self._latest is None else self._latest
        if int(stamps.max()) - latest <= DAY:
            return True
        highest = np.maximum.accumulate(np.concatenate(([latest], stamps)))
        return bool((np.diff(highest) <= DAY).all())


def agree(stamp: Time, received: Time | None, other: Time, other_received: Time | None) -> bool:
    """Tell whether two implausible stamps speak of the same clock."""
    if received is None or other_received is None:
        return abs(stamp - other) <= DAY
    return abs((stamp - received) - (other - other_received)) <= LIMIT
