"""What two settings make together, as a map: each field a cell, its colour what it made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from infra.pictures.style import DIVERGING, FAINT, INK, SPECTRUM, figure, plain

_WRITTEN = 150
"""With more fields than this, none has its number written into it."""
_DARK = 0.35
"""How far towards an end of the colours a field is dark."""


def heat(
    title: str,
    across: tuple[str, Sequence[str]],
    down: tuple[str, Sequence[str]],
    values: NDArray[np.float64],
    measure: str,
) -> Figure:
    """Return a map.

    Parameters
    ----------
    title
        Of the picture.
    across, down
        The two settings, and what each was tried at.
    values
        What was made, a row for each value of `down`; nan where nothing was.
    measure
        What was made, in a word.

    """
    drawn = figure(min(3 + 0.6 * len(across[1]), 14), min(2 + 0.4 * len(down[1]), 10))
    axes = plain(drawn.add_subplot(), title, x=across[0], y=down[0])
    axes.grid(visible=False)
    norm, colours = _scale(values)
    image = axes.imshow(values, cmap=colours, norm=norm, aspect="auto")
    axes.set_xticks(range(len(across[1])), across[1], rotation=45 if len(across[1]) > 8 else 0)  # noqa: PLR2004
    axes.set_yticks(range(len(down[1])), down[1])
    bar = drawn.colorbar(image, ax=axes)
    bar.set_label(measure, fontsize=8, color=FAINT)
    bar.ax.tick_params(colors=FAINT, labelsize=8, length=0)
    if values.size <= _WRITTEN:
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                place = float(norm(value))
                ink = "white" if _is_dark(place, colours) else INK
                axes.text(
                    column, row, f"{value:.3g}", ha="center", va="center", fontsize=7, color=ink
                )
    return drawn


def _scale(values: NDArray[np.float64]) -> tuple[Normalize, str]:
    """Return the scale of the colours: around zero, if there is something on both of its sides."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Normalize(0, 1), SPECTRUM
    low, high = float(finite.min()), float(finite.max())
    if low < 0 < high:
        most = max(-low, high)
        return TwoSlopeNorm(0, -most, most), DIVERGING
    return Normalize(low, high if high > low else low + 1), SPECTRUM


def _is_dark(place: float, colours: str) -> bool:
    """Tell whether a colour is too dark for dark letters."""
    return place < 0.5 if colours == SPECTRUM else abs(place - 0.5) > _DARK  # noqa: PLR2004 - the middle
