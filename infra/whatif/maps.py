"""The map of a sweep: two of its settings, the others as the best has them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.style import Style
from rich.table import Table
from rich.text import Text

from infra.importing import undisturbed
from infra.times import write_time
from infra.whatif.grid import Axis
from infra.whatif.sweeping import Sweep

_LOSS, _NOTHING, _GAIN = (213, 94, 0), (240, 240, 240), (0, 114, 178)
"""Vermillion, nearly white and blue, as in the pictures."""
_FIELD = 12
"""Characters that a column takes."""

NOWHERE = Axis("", ("",))
"""Where one setting alone is varied, what stands beside it."""


class Map(NamedTuple):
    """What two settings make together."""

    down: Axis
    across: Axis
    values: NDArray[np.float64]
    """A row for each value of `down`; nan where nothing was made."""
    others: dict[str, str]
    """What else was set, and is the same in all of the map."""


def map_of(sweep: Sweep) -> Map | None:
    """Return the map of a sweep's first two settings; None if none has more than one value."""
    varied = [axis for axis in sweep.asked.axes if len(axis.values) > 1]
    if not varied or sweep.rows[0].tried.error:
        return None
    down, across = varied[:2] if len(varied) > 1 else (NOWHERE, varied[0])
    best = dict(sweep.rows[0].tried.changes)
    others = {axis.name: best[axis.name] for axis in varied[2:]}
    values = np.full((len(down.values), len(across.values)), np.nan)
    for row in sweep.rows:
        cell = dict(row.tried.changes)
        made = row.chosen_by.by(sweep.asked.by)
        if not row.tried.error and np.isfinite(made) and others.items() <= cell.items():
            place = (
                down.values.index(cell.get(down.name, "")),
                across.values.index(cell[across.name]),
            )
            values[place] = made
    return Map(down, across, values, others)


def _title(sweep: Sweep, found: Map) -> str:
    others = "".join(f", {name} {value}" for name, value in found.others.items())
    names = " and ".join(filter(None, (found.down.short, found.across.short)))
    chosen = f", up to {write_time(sweep.folds[-1].at)}" if sweep.folds else ""
    return f"{sweep.asked.by} by {names}{others}{chosen}"


def shown(sweep: Sweep, found: Map, width: int) -> Table:
    """Return a map for the screen, with as many columns as it has room for."""
    down, across, values = found.down, found.across.values, found.values
    if not down.name:  # one setting alone stands upright
        down, across, values = found.across, (sweep.asked.by,), values.T
    names = " \\ ".join(filter(None, (found.down.short, found.across.short)))
    room = max(1, (width - len(names)) // _FIELD)
    title = _title(sweep, found)
    if room < len(across):
        title += f", the first {room} of {len(across)} columns: --picture FILE draws all"
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column(names, no_wrap=True)
    for value in across[:room]:
        grid.add_column(value, justify="right", no_wrap=True)
    finite = values[np.isfinite(values)]
    most = float(np.abs(finite).max()) if len(finite) else 0.0
    for name, made in zip(down.values, values.tolist(), strict=True):
        grid.add_row(name, *(_field(value, most) for value in made[:room]))
    return grid


def _field(value: float, most: float) -> Text:
    if not np.isfinite(value):
        return Text("–")
    part = min(abs(value) / most, 1.0) if most else 0.0
    end = _GAIN if value > 0 else _LOSS
    red, green, blue = (
        round(there + (here - there) * part) for here, there in zip(end, _NOTHING, strict=True)
    )
    ink = "white" if part > 0.6 else "black"  # noqa: PLR2004 - where it becomes dark
    return Text(f" {value:.4g} ", Style(color=ink, bgcolor=f"rgb({red},{green},{blue})"))


def draw(sweep: Sweep, found: Map, path: Path) -> None:
    """Draw a map into a file."""
    with undisturbed():
        from infra.pictures.heat import heat  # noqa: PLC0415 - a second, for a picture only
        from infra.pictures.style import save  # noqa: PLC0415 - likewise
    drawn = heat(
        _title(sweep, found),
        (found.across.name, found.across.values),
        (found.down.name, found.down.values),
        found.values,
        sweep.asked.by,
    )
    save(drawn, path)
