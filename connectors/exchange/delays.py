"""How long to wait until the next try."""

from __future__ import annotations

import random

FIRST = 0.1
LONGEST = 30.0
HEALTHY = 60.0
"""After so many seconds of success the delays begin anew, at the latest."""
_WORTH = 3
"""Success for so many times the last delay makes up for it."""


class Delays:
    """Delays in seconds that double from try to try, each between a half and all of that.

    They begin anew behind a success of a minute, or of three times the last delay: who fails now
    and then waits for at most a quarter of the time. Chance spreads the tries of many, so that an
    exchange that comes back is not run over.

    Examples
    --------
    >>> delays = Delays()
    >>> 0.05 <= delays.next(now=0.0) <= 0.1 <= delays.next(now=0.2) <= 0.2
    True
    >>> 0.05 <= delays.next(now=1.5) <= 0.1
    True

    """

    def __init__(self, first: float = FIRST, longest: float = LONGEST) -> None:
        self.first, self.longest = first, longest
        self._last = 0.0
        self._failed_at: float | None = None

    def next(self, now: float) -> float:
        """Return how long to wait behind a failure at `now`, seconds of any clock."""
        if self._failed_at is None or self._success(now) >= min(_WORTH * self._last, HEALTHY):
            self._last = self.first
        else:
            self._last = min(2 * self._last, self.longest)
        self._failed_at = now
        return self._last * random.uniform(0.5, 1.0)  # noqa: S311 - it spreads, it guards nothing

    def _success(self, now: float) -> float:
        return now - (self._failed_at or 0.0) - self._last
