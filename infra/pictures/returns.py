"""How often which return came: a histogram, with its mean."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from infra.pictures.style import DOWN, FAINT, INK, UP, figure, plain
from schemas.trades import Float64

_BINS = 40
_TAIL = 0.005
"""What of each end is shown in the outermost bars."""
_BPS = 1e4


def returns(parts: Float64, title: str) -> Figure:
    """Return a histogram of returns.

    Parameters
    ----------
    parts
        As parts of what was put in; at least one.
    title
        What they are returns of.

    """
    made = figure(5.4, 3.2)
    axes = plain(made.subplots(), title, x="basis points, after costs", y="positions")
    edges = bins(parts)
    counts, _ = np.histogram(np.clip(parts, edges[0], edges[-1]), edges)
    middles = (edges[1:] + edges[:-1]) / 2
    colors = np.where(middles > 0, UP, DOWN).tolist()
    axes.bar(middles * _BPS, counts, np.diff(edges) * _BPS * 0.92, color=colors)
    mean = float(parts.mean())
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.axvline(mean * _BPS, color=INK, linewidth=1.2, linestyle="dashed")
    axes.annotate(
        f"mean {mean * _BPS:+.1f}", (mean * _BPS, 1), xycoords=("data", "axes fraction"),
        xytext=(4, -8), textcoords="offset points", fontsize=8, color=INK,
    )  # fmt: skip
    return made


def bins(parts: Float64) -> Float64:
    """Return the edges of the bars: alike, one of them at 0, without the ends of the tails.

    Examples
    --------
    >>> edges = bins(np.array([-0.01, 0.0, 0.03]))
    >>> len(edges) - 1 <= 42, bool(np.abs(edges).min() == 0)
    (True, True)

    """
    low, high = np.quantile(parts, [_TAIL, 1 - _TAIL])
    low, high = min(low, 0.0), max(high, 0.0)
    width = (high - low) / _BINS or 1e-4
    first, last = np.floor(low / width), np.ceil(high / width)
    edges: Float64 = np.arange(first, max(last, first + 1) + 1) * width
    return edges
