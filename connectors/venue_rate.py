"""How fast an exchange is asked: what it allows in its window of time may be used at once."""

from __future__ import annotations

from typing import Any, Protocol, cast

from connectors.venue import Venue


class _Throttled(Protocol):
    class throttler:  # noqa: N801 - ccxt's name
        config: dict[str, Any]


def ask_in_bursts(venue: Venue) -> None:
    """Let REST use what an exchange allows in its window of time at once.

    Evenly spread over the window, as ccxt does it else, what fills a hole would stand behind the
    snapshots of all books that were lost with it, and an order behind what was looked at.
    """
    config = cast("_Throttled", venue).throttler.config
    if window := config["windowSize"]:
        config |= {"algorithm": "rollingWindow", "maxWeight": window / config["rateLimit"]}
