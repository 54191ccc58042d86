"""How many requests a second are taken: a bucket that refills."""

from __future__ import annotations

import time
from collections.abc import Callable


class Rate:
    """Lets so many through at once, and so many a second.

    Parameters
    ----------
    burst, second
        At once, and each second from then on.
    clock
        Ours, in seconds.

    Examples
    --------
    >>> now = [0.0]
    >>> rate = Rate(2, 1.0, lambda: now[0])
    >>> rate.take(), rate.take(), rate.take()
    (True, True, False)
    >>> now[0] = 1.5
    >>> rate.take(), rate.take()
    (True, False)

    """

    def __init__(
        self, burst: int, second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._second, self._clock = burst, second, clock
        self._left, self._at = float(burst), clock()

    def take(self) -> bool:
        """Tell whether one more is let through."""
        now = self._clock()
        self._left = min(float(self._burst), self._left + (now - self._at) * self._second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
