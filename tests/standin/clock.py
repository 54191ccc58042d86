"""The time by which an exchange judges signed requests, and stamps orders."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

_AHEAD = 1_000
"""How far ahead of the exchange a request may be, ms."""


class PrivateClock:
    """The real time, whatever the recorded one is: orders are sent now, by clients that run now.

    Who asks for the time is told the recorded one, as who reads the market expects; so a request
    stamped by that is in time, too. Once the clock is skewed there is only one time, and it is off.

    Parameters
    ----------
    recorded
        The time that the markets are played at, ms.

    """

    def __init__(self, recorded: Callable[[], int]) -> None:
        self.skew: int | None = None
        """How far it is ahead of ours, ms; `None` as long as no one skews it."""
        self._recorded = recorded
        self._told: tuple[int, int] | None = None
        """The least and the most to add to our own clock for a time that was told."""

    def now(self) -> int:
        """Return the exchange's time, ms."""
        return time.time_ns() // 1_000_000 + (self.skew or 0)

    def tell(self) -> int:
        """Return the time for who asks for it, ms."""
        if self.skew is not None:
            return self.now()
        told = self._recorded()
        off = told - self.now()
        least, most = self._told or (off, off)
        self._told = min(least, off), max(most, off)
        return told

    def judge(self, stamp: int, window: int) -> Literal["early", "late"] | None:
        """Tell whether a request is stamped outside of its window, ms."""
        now = self.now()
        times = [(now, now)]
        if self.skew is None and self._told is not None:
            times.append((now + self._told[0], now + self._told[1]))
        if any(least - window <= stamp < most + _AHEAD for least, most in times):
            return None
        return "early" if stamp >= times[-1][1] + _AHEAD else "late"
