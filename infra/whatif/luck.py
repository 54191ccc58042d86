"""How much of the best of many is luck.

The more settings are tried, the better the best of them looks, though all be worth nothing. How
much better depends on how many of them have nothing to do with each other; and how much that says,
on how few and how uneven the returns are.

References
----------
Bailey, D. H., and Lopez de Prado, M. (2012): "The Sharpe Ratio Efficient Frontier". Journal of
Risk 15 (2), 3-44: the odds of one ratio (`confidence`).
Bailey, D. H., and Lopez de Prado, M. (2014): "The Deflated Sharpe Ratio: Correcting for Selection
Bias, Backtest Overfitting, and Non-Normality". Journal of Portfolio Management 40 (5), 94-107.
Lopez de Prado, M., and Lewis, M. J. (2019): "Detection of false investment strategies using
unsupervised learning methods". Quantitative Finance 19 (9), 1555-1565: those of the best of many.

"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from statistics import NormalDist

from infra.whatif.independent import trials
from infra.whatif.tried import Position, sharpe

SURE = 0.95
"""From these odds on it is taken for more than luck."""
_FEW = 20
"""With fewer positions nothing can be said."""


@dataclass(frozen=True)
class Luck:
    """What luck alone would show, beside what the best shows.

    Parameters
    ----------
    tried
        How many were tried.
    independent
        As how many they count that have nothing to do with each other.
    positions
        How many the best closed.
    best
        Its Sharpe ratio, of one position.
    lucky
        What the best would be expected to show were all worth nothing.
    odds
        How often the best of so many shows less than this, were all worth nothing.

    """

    tried: int
    independent: float
    positions: int
    best: float
    lucky: float
    odds: float


def confidence(returns: Sequence[float]) -> float:
    """Return how often returns that are worth nothing show a lower Sharpe ratio than these.

    Parameters
    ----------
    returns
        One of each position.

    Examples
    --------
    >>> [round(confidence([0.02, loss] * 50), 3) for loss in (-0.01, -0.018, -0.02)]
    [1.0, 0.699, 0.5]

    """
    ratio = sharpe(returns)
    if ratio is None:
        return 0.0
    skew, tails = _moment(returns, 3), _moment(returns, 4)
    spread = 1 - skew * ratio + (tails - 1) / 4 * ratio**2
    if spread <= 0:
        return 0.0
    return NormalDist().cdf(ratio * sqrt(len(returns) - 1) / sqrt(spread))


def _moment(returns: Sequence[float], power: int) -> float:
    mean = fsum(returns) / len(returns)
    variance = fsum((x - mean) ** 2 for x in returns) / len(returns)
    total = fsum((x - mean) ** power for x in returns)
    return float(total / len(returns) / variance ** (power / 2))


def luck(cells: Sequence[Sequence[Position]], tried: int) -> Luck | None:
    """Return how the best of many compares with luck; None if nothing can be said.

    Parameters
    ----------
    cells
        The positions of each that was tried to the end, the best first.
    tried
        How many were tried.

    """
    returns = [[one.net_return for one in cell] for cell in cells]
    # Two positions that ended alike have any ratio there is: they tell nothing of the others.
    enough = [len(one) >= _FEW and sharpe(one) is not None for one in returns]
    if not enough or not enough[0]:
        return None
    found = trials([cell for cell, good in zip(cells, enough, strict=True) if good])
    count, best = len(returns[0]), sharpe(returns[0])
    assert best is not None  # noqa: S101 - it was looked at
    odds = confidence(returns[0]) ** found.independent
    return Luck(tried, found.independent, count, best, found.best / sqrt(count - 1), odds)


def said(found: Luck | None, tried: int) -> str:
    """Return it in plain words.

    Examples
    --------
    >>> print(said(Luck(60, 7.2, 57, 0.18, 0.21, 0.41), 60).split(".")[0])
    60 settings were tried; they are alike, and count as about 7 independent ones
    >>> said(None, 1)
    ''

    """
    if tried < 2:  # noqa: PLR2004 - of one there is no best
        return ""
    if found is None:
        return (
            f"{tried:,} settings were tried, and the best of so many looks good by luck alone: it "
            f"closed fewer than {_FEW} positions, too few for more to be said of it"
        )
    count = round(found.independent)
    alike = f"they are alike, and count as about {count:,} independent one{'s' * (count > 1)}"
    head = alike if count < tried else "none is like another"
    return (
        f"{tried:,} settings were tried; {head}. Were all worth nothing, the best would still show "
        f"a Sharpe ratio of about {found.lucky:.3f} a position by luck; it shows {found.best:.3f} "
        f"over {found.positions:,}. Luck alone shows less in {found.odds:.0%} of such sweeps: "
        + (_MORE if found.odds >= SURE else _LUCK)
    )


_MORE = "look at what it made of data by which it was not chosen"
_LUCK = "take it for luck, until other data say otherwise"
