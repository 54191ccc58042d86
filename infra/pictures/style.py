"""The one style of all pictures: light, readable, for colour-blind eyes too."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from schemas.mendable import Mendable

INK, FAINT, GRID, PAPER = "#24292f", "#6e7781", "#e6e8eb", "#ffffff"
UP, DOWN = "#0072b2", "#d55e00"
"""Blue and vermillion: what rises and falls, is won and lost; told apart by every eye."""
LINES = ("#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8c6d31", "#5e5e5e")
"""Of lines that stand beside each other, in this order (after Okabe and Ito, 2008)."""
SPECTRUM = "cividis"
"""Of numbers as colours: from dark blue to yellow, even to every eye."""
DIVERGING = "PuOr_r"
"""Of numbers around zero as colours: purple below, orange above."""

FORMS = (".png", ".svg")
_DOTS = 130


class PictureError(Mendable, ValueError):
    """A picture that cannot be written; the text says what can."""


def figure(width: float = 9.0, height: float = 4.5) -> Figure:
    """Return an empty figure of a size in inches; no window, and nothing global, knows of it."""
    made = Figure(figsize=(width, height), dpi=_DOTS, facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(made)
    return made


def plain(axes: Axes, title: str = "", *, x: str = "", y: str = "") -> Axes:
    """Give axes the house's look: a faint grid, no box, a title at the left."""
    axes.set_facecolor(PAPER)
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_xlabel(x, fontsize=8, color=FAINT)
    axes.set_ylabel(y, fontsize=8, color=FAINT)
    axes.grid(visible=True, color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=FAINT, labelsize=8, length=0)
    for name, spine in axes.spines.items():
        spine.set_visible(name == "bottom")
        spine.set_color(GRID)
    return axes


def svg(drawn: Figure) -> str:
    """Return a figure as SVG text: the same figure gives the same text."""
    text = StringIO()
    with mpl.rc_context({"svg.hashsalt": "tapedeck", "svg.fonttype": "none"}):
        drawn.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def save(drawn: Figure, path: Path) -> None:
    """Write a figure; how the file's name ends says in which form.

    Raises
    ------
    PictureError
        When it ends otherwise, or cannot be written.

    """
    check(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".svg":
            path.write_text(svg(drawn), "utf-8")
        else:
            drawn.savefig(path, metadata={"Software": None})
    except OSError as error:
        raise PictureError(f"{path} cannot be written: {error.strerror or error}") from error


def check(path: Path) -> None:
    """See that a picture can be written by this name, before it is drawn."""
    if path.suffix not in FORMS:
        raise PictureError(f"{path}: name it .png or .svg")
