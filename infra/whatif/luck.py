"""How much of the best of many is luck.

The more settings are tried, the better the best of them looks, though all be worth nothing. The
deflated Sharpe ratio takes that into account, and how few and how uneven the returns are.

References
----------
Bailey, D. H., and Lopez de Prado, M. (2014): "The Deflated Sharpe Ratio: Correcting for Selection
Bias, Backtest Overfitting, and Non-Normality". Journal of Portfolio Management 40 (5), 94-107.

"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import e, fsum, sqrt
from statistics import NormalDist, pvariance

from infra.whatif.tried import sharpe

_EULER = 0.5772156649015329
"""The constant of Euler and Mascheroni."""
_NORMAL = NormalDist()
SURE = 0.95
"""From these odds on it is taken for more than luck."""
_FEW = 20
"""With fewer positions nothing can be said."""


@dataclass(frozen=True)
class Luck:
    """What luck alone would show, beside what the best shows.

    Parameters
    ----------
    trials
        How many were tried.
    positions
        How many the best closed.
    best
        Its Sharpe ratio, of one position.
    lucky
        What the best of so many would be expected to show were all worth nothing.
    odds
        How likely it is that the best is worth more than that: the deflated Sharpe ratio.

    """

    trials: int
    positions: int
    best: float
    lucky: float
    odds: float


def expected_best(trials: int, variance: float) -> float:
    """Return the Sharpe ratio that the best of so many shows when all are worth nothing.

    Parameters
    ----------
    trials
        How many were tried, each without regard to the others.
    variance
        Of their Sharpe ratios.

    Examples
    --------
    >>> [round(expected_best(trials, 0.01), 3) for trials in (1, 10, 100, 1000)]
    [0.0, 0.157, 0.253, 0.326]

    """
    if trials < 2:  # noqa: PLR2004 - of one there is no best
        return 0.0
    most = _NORMAL.inv_cdf(1 - 1 / trials)
    more = _NORMAL.inv_cdf(1 - 1 / (trials * e))
    return sqrt(variance) * ((1 - _EULER) * most + _EULER * more)


def deflated(returns: Sequence[float], lucky: float) -> float:
    """Return the odds that returns come from a Sharpe ratio above a lucky one.

    Parameters
    ----------
    returns
        One of each position.
    lucky
        The Sharpe ratio that luck would show.

    Examples
    --------
    >>> returns = [0.02, -0.01] * 50
    >>> [round(deflated(returns, lucky), 3) for lucky in (0.0, 0.3, 0.5)]
    [1.0, 0.624, 0.047]

    """
    ratio = sharpe(returns)
    if ratio is None:
        return 0.0
    skew, tails = _moment(returns, 3), _moment(returns, 4)
    spread = 1 - skew * ratio + (tails - 1) / 4 * ratio**2
    if spread <= 0:
        return 0.0
    return _NORMAL.cdf((ratio - lucky) * sqrt(len(returns) - 1) / sqrt(spread))


def _moment(returns: Sequence[float], power: int) -> float:
    mean = fsum(returns) / len(returns)
    variance = fsum((x - mean) ** 2 for x in returns) / len(returns)
    total = fsum((x - mean) ** power for x in returns)
    return float(total / len(returns) / variance ** (power / 2))


def luck(returns: Sequence[Sequence[float]], trials: int) -> Luck | None:
    """Return how the best of many compares with luck; None if nothing can be said.

    Parameters
    ----------
    returns
        Those of each that was tried to the end, the best first.
    trials
        How many were tried.

    """
    # Two positions that ended alike have any ratio there is: they tell nothing of the others.
    enough = [one for one in returns if len(one) >= _FEW]
    ratios = [ratio for ratio in map(sharpe, enough) if ratio is not None]
    best = sharpe(returns[0]) if returns and len(returns[0]) >= _FEW else None
    if best is None or len(ratios) < 2:  # noqa: PLR2004 - two to differ
        return None
    lucky = expected_best(trials, pvariance(ratios))
    return Luck(trials, len(returns[0]), best, lucky, deflated(returns[0], lucky))


def said(found: Luck | None, trials: int) -> str:
    """Return it in plain words.

    Examples
    --------
    >>> said(Luck(60, 57, 0.18, 0.21, 0.41), 60).split(":")[0]
    '60 settings were tried, and the best of so many looks good by luck alone'
    >>> said(None, 1)
    ''

    """
    if trials < 2:  # noqa: PLR2004 - of one there is no best
        return ""
    head = f"{trials:,} settings were tried, and the best of so many looks good by luck alone"
    if found is None:
        return f"{head}: it closed fewer than {_FEW} positions, too few for more to be said of it"
    return (
        f"{head}: were all worth nothing, it would still show a Sharpe ratio of about "
        f"{found.lucky:.3f} a position; it shows {found.best:.3f} over {found.positions:,}. The "
        f"odds that this is more than luck are {found.odds:.0%} (deflated Sharpe ratio): "
        + (_MORE if found.odds >= SURE else _LUCK)
    )


_MORE = "look at what it made of data by which it was not chosen"
_LUCK = "take it for luck, until other data say otherwise"
