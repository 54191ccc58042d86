"""What every event is made of: times, positions in a log, and the words used for sides."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Time: TypeAlias = int
"""Nanoseconds since 1970-01-01 UTC."""

Levels: TypeAlias = list[tuple[float, float]]
"""One side of an order book, best first: (price, size)."""

Numbers: TypeAlias = dict[str, float]
"""Named numbers: averages, features, metrics."""

Side: TypeAlias = Literal["long", "short"]
"""Which way a position looks."""

Aggressor: TypeAlias = Literal["buy", "sell"]
"""Which way an order goes."""

Unit: TypeAlias = Literal["quote", "base"]
"""What an amount counts: quote currency, or units of the base currency."""

OrderKind: TypeAlias = Literal["market", "limit", "post-only"]
"""How an order trades: at once, at a price or better, or so and never as a taker."""

Purpose: TypeAlias = Literal["", "enter", "exit", "stop"]
"""What an order does for its position; `stop` rests at the exchange. Empty: for no position."""

SECOND: Time = 1_000_000_000
MINUTE: Time = 60 * SECOND
DAY: Time = 86_400 * SECOND


class Position(NamedTuple):
    """Where an outside event stands in its log: the only key for ordering a replay."""

    partition: str
    offset: int
    row: int = 0
