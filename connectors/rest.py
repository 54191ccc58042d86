"""Resting while nothing comes, by a clock that nobody sets.

The engine waits by the system's clock until a source wants to be asked again: if that clock is set
back by an hour meanwhile, it waits for an hour. So it is to ask at once, and the source rests.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Protocol

AT_ONCE = datetime(1970, 1, 1, tzinfo=timezone.utc)
"""When the engine is to ask a source again."""
_SHORT_SECONDS = 0.002
_LONG_SECONDS = 0.05


class Waker(Protocol):
    """Knows when something new may be there."""

    def wait(self, seconds: float) -> None:
        """Return when that is so, or so many seconds later."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class Rest:
    """Lets the partitions of a source rest together, when none of them has anything.

    Parameters
    ----------
    waker
        Wakes them; without one they look every few milliseconds. It is closed with the last of
        them.

    Examples
    --------
    >>> rest = Rest()
    >>> rest.join(), rest.join()
    (None, None)
    >>> rest.nothing(), rest.came(), rest.nothing(), rest.nothing(), rest.turn
    (False, None, False, True, 1)

    """

    def __init__(self, waker: Waker | None = None) -> None:
        self._waker = waker
        self._parts = self._quiet = 0
        self.turn = 0
        """How often they have rested: behind each rest all of them look again."""

    def join(self) -> None:
        """Count one partition more."""
        self._parts += 1

    def leave(self) -> None:
        """Count one less."""
        self._parts -= 1
        if not self._parts and self._waker is not None:
            self._waker.close()

    def came(self) -> None:
        """Take note that a partition has something."""
        self._quiet = 0

    def nothing(self) -> bool:
        """Take note that a partition has nothing; rest if that was the last of them."""
        self._quiet += 1
        if self._quiet < self._parts:
            return False
        self._quiet = 0
        self.turn += 1
        time.sleep(_SHORT_SECONDS)  # what comes together is read together
        if self._waker is not None:
            self._waker.wait(_LONG_SECONDS)
        return True
