"""A cell of a sweep: what one combination of settings made of the tape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from math import fsum
from statistics import fmean, stdev
from typing import NamedTuple

from infra.whatif.knobs import Changes
from operators.tape import Strip
from schemas import Closed, Fault, Numbers, Outcome, Time

_EXACT = Context(prec=76)
_LOSS = "log_loss"
_NOTED = frozenset({Closed, Outcome, Fault})


class Position(NamedTuple):
    """A closed position."""

    closed: Time
    market: str
    opened: Time
    pnl: Decimal
    fees: Decimal
    gross_return: float
    net_return: float


@dataclass
class Tried:
    """What became of a cell.

    Parameters
    ----------
    changes
        What was set.
    positions
        What it closed.
    metrics
        What its model knew last, by market.
    faults
        How often what its author wrote failed.
    error
        Why it could not be tried to the end, if so.

    """

    changes: Changes
    positions: list[Position] = field(default_factory=list)
    metrics: dict[str, Numbers] = field(default_factory=dict)
    faults: int = 0
    error: str = ""

    def take(self, market: str, strip: Strip) -> None:
        """Take note of what was concluded next on a market's tape."""
        for event in [event for event in strip if type(event) in _NOTED]:
            if isinstance(event, Closed):
                self.positions.append(_position(event))
            elif isinstance(event, Outcome):
                self.metrics[market] = event.metrics
            else:
                self.faults += 1

    @property
    def log_loss(self) -> float | None:
        """How well its model knew, the mean over outcomes; None if it has none."""
        known = [one for one in self.metrics.values() if _LOSS in one]
        count = sum(one["count"] for one in known)
        return fsum(one[_LOSS] * one["count"] for one in known) / count if count else None


def _position(event: Closed) -> Position:
    return Position(
        event.ts, event.market, event.opened_ts, event.pnl, event.fees,
        event.gross_return, event.net_return,
    )  # fmt: skip


class Figures(NamedTuple):
    """What some positions made."""

    positions: int
    won: float | None
    pnl: Decimal
    fees: Decimal
    gross_return: float
    """The sum of the positions' returns before fees."""
    net_return: float
    """The same after fees and funding."""
    sharpe: float | None
    """Mean of a position's net return over its standard deviation; None if that says nothing."""
    drawdown: Decimal

    def by(self, measure: str) -> float:
        """Return what cells are ranked by, after fees; what says nothing ranks last."""
        if not self.positions:
            return _LAST
        values: dict[str, Decimal | float | None]
        values = {"pnl": self.pnl, "return": self.net_return, "sharpe": self.sharpe}
        value = values[measure]
        return _LAST if value is None else float(value)


_LAST = float("-inf")


def figures(positions: Sequence[Position]) -> Figures:
    """Return what positions made, in whatever order they are given.

    Examples
    --------
    >>> made = figures([
    ...     Position(2, "okx:A", 1, Decimal(3), Decimal(1), 0.04, 0.03),
    ...     Position(1, "okx:A", 0, Decimal(-1), Decimal(1), 0.0, -0.01),
    ... ])
    >>> made.positions, made.won, made.pnl, made.drawdown, round(made.sharpe, 3)
    (2, 0.5, Decimal('2'), Decimal('1'), 0.354)

    """
    total = peak = drawdown = fees = Decimal(0)
    for one in sorted(positions):
        total, fees = _EXACT.add(total, one.pnl), _EXACT.add(fees, one.fees)
        peak = max(peak, total)
        drawdown = max(drawdown, _EXACT.subtract(peak, total))
    count = len(positions)
    return Figures(
        count,
        sum(one.pnl > 0 for one in positions) / count if count else None,
        total,
        fees,
        fsum(one.gross_return for one in positions),
        fsum(one.net_return for one in positions),
        sharpe([one.net_return for one in positions]),
        drawdown,
    )


def sharpe(returns: Sequence[float]) -> float | None:
    """Return the mean of returns over their standard deviation; None if it says nothing."""
    if len(returns) < 2:  # noqa: PLR2004 - what a deviation needs
        return None
    apart = stdev(returns)
    return fmean(returns) / apart if apart > 0 else None
