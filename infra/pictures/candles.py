"""Candles with their averages; where something was bought and sold; and the levels in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from infra.pictures.bars import Bars
from infra.pictures.style import DOWN, FAINT, INK, LINES, PAPER, UP, figure, plain
from schemas import DAY, Time
from schemas.trades import Float64, Int64

_BODY = 0.7
"""How much of its time a candle's body takes."""
_EVEN = 0.5


class Mark(NamedTuple):
    """Something that was bought or sold."""

    ts: Time
    price: float
    bought: bool
    says: str


class Level(NamedTuple):
    """A price that stands from one time to another, such as a stop."""

    name: str
    price: float
    since: Time
    until: Time


class Odds(NamedTuple):
    """What a model gave, and when."""

    ts: Sequence[Time]
    odds: Sequence[float]


def candles(
    bars: Bars,
    title: str,
    *,
    marks: Sequence[Mark] = (),
    levels: Sequence[Level] = (),
    odds: Odds | None = None,
) -> Figure:
    """Return a picture of candles; below them what a model gave, if there is one.

    Parameters
    ----------
    bars
        The candles.
    title
        What it is a picture of.
    marks, levels
        What was done, and where the barriers stood.
    odds
        Of the same time.

    """
    made = figure(10, 6.2 if odds else 5)
    if odds:
        above, below = made.subplots(2, 1, sharex=True, height_ratios=[4, 1])
        _odds(below, odds)
    else:
        above = made.subplots()
    plain(above, title)
    _bodies(above, bars)
    for name, color in zip(bars.averages, LINES * len(bars.averages), strict=False):
        values = bars.averages[name]
        above.plot(days(bars.end), values, color=color, linewidth=1.1, label=name, zorder=2.5)
    for level in levels:
        _level(above, level)
    for mark in marks:
        _mark(above, mark)
    if bars.averages:
        above.legend(loc="best", fontsize=8, frameon=False, labelcolor=FAINT)
    _dated(above)
    return made


def days(times: Int64 | Sequence[Time]) -> Float64:
    """Return times as matplotlib counts them, in days since 1970.

    Examples
    --------
    >>> days([0, 43_200_000_000_000]).tolist()
    [0.0, 0.5]

    """
    return np.asarray(times, np.int64) / DAY


def _bodies(axes: Axes, bars: Bars) -> None:
    start, width = days(bars.start), days(bars.end - bars.start)
    middle = start + width / 2
    colors = np.where(bars.close >= bars.open, UP, DOWN).tolist()
    axes.vlines(middle, bars.low, bars.high, colors=colors, linewidth=0.8)
    least = (bars.high.max() - bars.low.min()) / 1_000 if len(bars) else 0.0
    height = np.maximum(np.abs(bars.close - bars.open), least)
    bottom = np.minimum(bars.open, bars.close)
    axes.use_sticky_edges = False
    axes.bar(middle, height, width * _BODY, bottom, color=colors, linewidth=0)


def _level(axes: Axes, level: Level) -> None:
    color = {"stop": DOWN, "take": UP}.get(level.name, INK)
    since, until = days([level.since, level.until])
    axes.hlines(level.price, since, until, colors=color, linestyles="dashed", linewidth=1.1)
    axes.annotate(
        level.name, (since, level.price), xytext=(-4, 0), textcoords="offset points", ha="right",
        va="center", fontsize=8, color=color,
    )  # fmt: skip


def _mark(axes: Axes, mark: Mark) -> None:
    shape, below = ("^", -1) if mark.bought else ("v", 1)
    at = float(days([mark.ts])[0])
    axes.plot(
        at, mark.price, shape, markersize=8, color=INK, markeredgecolor=PAPER, zorder=4,
    )  # fmt: skip
    axes.annotate(
        mark.says, (at, mark.price), xytext=(0, 16 * below), textcoords="offset points",
        ha="center", va="center", fontsize=8, color=INK,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1}, zorder=4,
    )  # fmt: skip


def _odds(axes: Axes, given: Odds) -> None:
    plain(axes, y="odds")
    axes.axhline(_EVEN, color=FAINT, linewidth=0.8)
    axes.plot(days(given.ts), given.odds, color=INK, linewidth=1.1)
    axes.set_ylim(0, 1)


def _dated(axes: Axes) -> None:
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
