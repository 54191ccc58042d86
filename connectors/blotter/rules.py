"""How an executor behaves: how long it waits, and what it does then."""

from __future__ import annotations

from typing import Literal, NamedTuple

from schemas import SECOND, Time

LONGEST: Time = 600 * SECOND
"""No wait is longer."""


def due(at: Time, now: Time) -> bool:
    """Tell whether a time has come: if it is too far off, the clock was set back since.

    Examples
    --------
    >>> due(5 * SECOND, now=5 * SECOND), due(6 * SECOND, now=5 * SECOND)
    (True, False)
    >>> due(3_600 * SECOND, now=5 * SECOND)
    True

    """
    return not now < at <= now + LONGEST


class Rules(NamedTuple):
    """The times of an executor; and what becomes of positions whose flow is silent."""

    max_age: Time = 2 * SECOND
    """An entry whose cause is older is not sent."""
    exchange_delay: Time = 2 * SECOND
    """How long an order that the exchange has taken may not be shown by it."""
    look_every: Time = SECOND
    """How often it asks for what it waits for."""
    fills_within: Time = SECOND // 4
    """The fills of an order that is filled are asked for when they did not come by themselves."""
    answer_within: Time = 30 * SECOND
    """What is not answered until then is in doubt."""
    stop_every: Time = 5 * SECOND
    """How often a stop is moved, at most."""
    silence: Time = 10 * SECOND
    """A flow that gives no sign of life for so long has its entries called off."""
    on_silence: Literal["hold", "flatten"] = "hold"
    stops: bool = True
    """Whether stops rest at the exchange; not every one has them."""

    def backoff(self, failures: int) -> Time:
        """Return how long to wait behind so many failures in a row.

        Examples
        --------
        >>> [Rules().backoff(n) / SECOND for n in (0, 1, 3, 20)]
        [0.0, 0.5, 2.0, 60.0]

        """
        return min((SECOND << min(failures, 9)) // 4, 60 * SECOND) if failures else 0
