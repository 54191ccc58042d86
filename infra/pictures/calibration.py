"""What a model said against what came: of odds, and of expected returns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from infra.pictures.style import FAINT, INK, LINES, UP, figure, plain

_BPS = 1e4
_LARGEST, _LEAST = 260, 12
"""Areas of dots."""


def calibration(odds: Sequence[float], won: Sequence[float], counts: Sequence[int]) -> Figure:
    """Return the share that came true against the odds given; the larger a dot, the more outcomes.

    Parameters
    ----------
    odds, won, counts
        Of each bin: the mean of the odds, the share that came true, and how many there are.

    """
    made = figure(5.4, 3.2)
    axes = plain(made.subplots(), "Odds given, and share that came true", x="odds", y="share")
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle="dashed")
    axes.plot(odds, won, color=UP, linewidth=1.0)
    axes.scatter(odds, won, s=_areas(counts), color=UP, zorder=3)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return made


def expectations(expected: Sequence[float], came: Sequence[float]) -> Figure:
    """Return what came on average against what a regressor expected, tenth by tenth.

    Parameters
    ----------
    expected, came
        Means of each tenth of the outcomes, as parts.

    """
    made = figure(5.4, 3.2)
    axes = plain(made.subplots(), "Expected, and what came", x="expected, bps", y="came, bps")
    said, was = np.asarray(expected) * _BPS, np.asarray(came) * _BPS
    ends = [min(said.min(), was.min()), max(said.max(), was.max())]
    axes.plot(ends, ends, color=FAINT, linewidth=0.9, linestyle="dashed")
    axes.plot(said, was, "o-", color=UP, linewidth=1.0, markersize=5)
    return made


def slippage(expected: Sequence[float], realised: Sequence[float]) -> Figure:
    """Return what orders cost against what was expected, both in basis points from the mid.

    Parameters
    ----------
    expected, realised
        Of each order.

    """
    made = figure(5.4, 3.2)
    title = "Slippage, expected and realised"
    axes = plain(made.subplots(), title, x="expected, bps", y="realised, bps")
    ends = [min((*expected, 0.0)), max((*expected, 0.0))]
    axes.plot(ends, ends, color=FAINT, linewidth=0.9, linestyle="dashed")
    axes.scatter(expected, realised, s=14, color=LINES[0], edgecolors=INK, linewidths=0.3, zorder=3)
    return made


def _areas(counts: Sequence[int]) -> list[float]:
    most = max((*counts, 1))
    return [max(_LARGEST * count / most, _LEAST) for count in counts]
