"""Resting while nothing comes, by a clock that nobody sets.

The engine waits by the system's clock until a source wants to be asked again: if that clock is set
back by an hour meanwhile, it waits for an hour. So it is to ask at once, and the source rests.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone

IDLE_SECONDS = 0.003
AT_ONCE = datetime(1970, 1, 1, tzinfo=timezone.utc)
"""When the engine is to ask a source again."""


class Rest:
    """Lets the partitions of a source rest together, when none of them has anything.

    Parameters
    ----------
    seconds
        How long.

    Examples
    --------
    >>> rest = Rest(0.001)
    >>> rest.join(), rest.join()
    (None, None)
    >>> rest.nothing(), rest.came(), rest.nothing(), rest.nothing()
    (False, None, False, True)

    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._parts = self._quiet = 0

    def join(self) -> None:
        """Count one partition more."""
        self._parts += 1

    def leave(self) -> None:
        """Count one less."""
        self._parts -= 1

    def came(self) -> None:
        """Take note that a partition has something."""
        self._quiet = 0

    def nothing(self) -> bool:
        """Take note that a partition has nothing; rest if that was the last of them."""
        self._quiet += 1
        if self._quiet < self._parts:
            return False
        self._quiet = 0
        time.sleep(self.seconds)
        return True
