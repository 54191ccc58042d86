"""How long to wait until the next try."""

from __future__ import annotations

import random

FIRST = 0.1
LONGEST = 30.0
HEALTHY = 60.0
"""After how many seconds of success the delays begin anew."""


class Delays:
    """Delays in seconds that double from try to try, each between a half and all of that.

    Chance spreads the tries of many, so that an exchange that comes back is not run over.

    Examples
    --------
    >>> delays = Delays()
    >>> 0.05 <= delays.next(now=0.0) <= 0.1 <= delays.next(now=1.0) <= 0.2
    True

    """

    def __init__(self, first: float = FIRST, longest: float = LONGEST) -> None:
        self.first, self.longest = first, longest
        self._next = first
        self._failed_at: float | None = None

    def next(self, now: float) -> float:
        """Return how long to wait behind a failure at `now`, seconds of any clock."""
        if self._failed_at is not None and now - self._failed_at > self._next + HEALTHY:
            self._next = self.first
        delay, self._failed_at = self._next, now
        self._next = min(2 * delay, self.longest)
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - it spreads, it guards nothing
