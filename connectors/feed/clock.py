"""What time it is at an exchange, as far as its own stamps tell."""

from __future__ import annotations

from collections import deque

from schemas import Time

SAMPLES = 101
"""Over how many of the last events the distance of the clocks is taken."""
_BEYOND = 10
"""One event in so many is further behind our clock than the distance we take."""


class VenueClock:
    """Estimate an exchange's time from `stamp - received` of its recent events.

    That distance is the clocks' difference less the time under way. Our clock plus the lowest
    tenth of it is what a rather slow message would be stamped that arrives now: nine in ten of
    those stamped earlier are here, the others are within the tape's tolerance. A median would run
    ahead of every second message. Before there is an event, the distance is that of the exchange's
    answer when it was asked for the time.

    Examples
    --------
    >>> clock = VenueClock()
    >>> clock.learn(stamp=1_000, received=1_300)
    >>> clock.at(2_000)
    1700

    """

    __slots__ = ("_distances", "_first")

    def __init__(self) -> None:
        self._first: Time | None = None
        self._distances: deque[Time] = deque(maxlen=SAMPLES)

    def begin(self, distance: Time) -> None:
        """Take the distance that holds until there are events."""
        self._first = distance

    def learn(self, stamp: Time, received: Time) -> None:
        """Take an event into account that has just come."""
        self._distances.append(stamp - received)

    @property
    def known(self) -> bool:
        """Whether there is anything to estimate from."""
        return bool(self._distances) or self._first is not None

    def at(self, now: Time) -> Time:
        """Return the exchange's time when our clock stands at `now`; rather too early."""
        if not self._distances:
            return now + (self._first or 0)
        return now + sorted(self._distances)[len(self._distances) // _BEYOND]
