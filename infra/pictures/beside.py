"""What several runs made, in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import NDArray

from infra.pictures.style import FAINT, LINES, UP, figure, plain
from schemas import DAY, Time


def beside(title: str, runs: Mapping[str, tuple[Sequence[Time], Sequence[float]]]) -> Figure:
    """Return a picture of what runs had made by when.

    Parameters
    ----------
    title
        Of the picture.
    runs
        By name, when each position was closed, and what the run had made by then.

    """
    drawn = figure()
    axes = plain(drawn.add_subplot(), title, y="made, after fees")
    begin = min((times[0] for times, _ in runs.values() if len(times)), default=0)
    for (name, (times, made)), colour in zip(runs.items(), (UP, *LINES), strict=False):
        axes.step(
            _days([begin, *times]), [0.0, *made],
            where="post", color=colour, linewidth=1.4, label=name,
        )  # fmt: skip
    axes.axhline(0, color=FAINT, linewidth=0.7)
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.legend(frameon=False, fontsize=8, loc="best")
    return drawn


def _days(times: Sequence[Time]) -> NDArray[np.float64]:
    """Return times as matplotlib has them: days since 1970."""
    return np.array(times, np.int64) / DAY
