"""How fast an exchange is asked: what it allows in its window of time may be used at once."""

from __future__ import annotations

import time
from typing import Any, NamedTuple, Protocol, TypedDict, cast

from connectors.venue.venue import Venue


class _Asked(TypedDict):
    timestamp: float
    """In milliseconds."""
    cost: float


class _Throttled(Protocol):
    class throttler:  # noqa: N801 - ccxt's name
        config: dict[str, Any]
        timestamps: list[_Asked]


class Budget(NamedTuple):
    """What an exchange allows in its window of time, in its own weights."""

    used: float
    most: float


def ask_in_bursts(venue: Venue) -> None:
    """Let REST use what an exchange allows in its window of time at once.

    Evenly spread over the window, as ccxt does it else, what fills a hole would stand behind the
    snapshots of all books that were lost with it, and an order behind what was looked at.
    """
    config = cast("_Throttled", venue).throttler.config
    if window := config["windowSize"]:
        config |= {"algorithm": "rollingWindow", "maxWeight": window / config["rateLimit"]}


def budget(venue: object) -> Budget:
    """Return how much of what may be asked is used; from any thread."""
    throttler = cast("_Throttled", venue).throttler
    since = time.time() * 1_000 - throttler.config["windowSize"]
    used = sum(asked["cost"] for asked in [*throttler.timestamps] if asked["timestamp"] > since)
    return Budget(float(used), float(throttler.config["maxWeight"]))
