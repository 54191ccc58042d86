"""How far a run is, and what there is to say of each market: light, for others hear of it, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from infra.metrics.gauges import NOTHING, Gauges

FLAT = "–"
"""The position where nothing is held."""


@dataclass(slots=True)
class Line:
    """What there is to say of a market."""

    mode: str = "active"
    position: str = FLAT
    order: str = "–"
    report: str = "–"
    stamp: int = 0
    """The exchange's, of what came last."""


class Far(NamedTuple):
    """How far a run is: bytes of its files or messages of its log, and trades."""

    read: int = 0
    total: int = 0
    trades: int = 0
    lines: Mapping[str, Line] = {}
    """Of a run that trades, what there is to say of each market."""
    pnl: Decimal = Decimal(0)
    """What closed positions have made, in the quote currency."""
    gauges: Gauges = NOTHING
    """Of a run that trades, what it measures."""
    behind: int | None = None
    """Messages of the log that are not read yet; None where that is not known."""


def whole(parts: Iterable[Far]) -> Far:
    """Return how far all processes of a run are together; what they measure is left out.

    Examples
    --------
    >>> whole([Far(1, 2, 3), Far(4, 5, 6, {"okx:A": Line()})]).trades
    9

    """
    read = total = trades = 0
    lines: dict[str, Line] = {}
    pnl, parts = Decimal(0), list(parts)
    for part in parts:
        read, total, trades = read + part.read, total + part.total, trades + part.trades
        lines.update(part.lines)
        pnl += part.pnl
    behind = [part.behind for part in parts if part.behind is not None]
    known = sum(behind) if behind else None
    return Far(read, total, trades, lines, pnl, behind=known)
