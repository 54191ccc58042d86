"""`deck disk`: what takes room, how fast that grows, and when there is none left."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict, dataclass
from typing import Annotated

import orjson
import typer
from rich import box
from rich.table import Table

from infra.disk.forecast import Part, days_until_full
from infra.disk.parts import parts
from infra.running.problems import explained
from infra.screen import out, say, told
from infra.settings import Settings

_SOON_DAYS = 7


@dataclass(frozen=True)
class Forecast:
    """What there is, and how long it can go on so."""

    parts: list[Part]
    free: int
    days: float | None
    """Until the disk is full; None is never, as far as can be told."""


def forecast(settings: Settings) -> Forecast:
    """Look at a home, and at the disk that it is on."""
    home = settings.home
    there = next(path for path in (home, *home.parents) if path.exists())
    found, free = parts(settings), shutil.disk_usage(there).free
    return Forecast(found, free, days_until_full(found, free))


def disk_command(
    as_json: Annotated[bool, typer.Option("--json", help="Bytes, as JSON.")] = False,
) -> None:
    """Say what takes room on the disk, how fast that grows, and when the disk is full."""
    with told(), explained(resumable=False):
        found = forecast(Settings.from_environment())
    if as_json:
        body = {**asdict(found), "parts": [part._asdict() for part in found.parts]}
        sys.stdout.buffer.write(orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE))
        return
    out.print(_table(found.parts))
    free = f"{found.free / 1e9:,.1f} GB are free"
    if found.days is None:
        out.print(f"{free}; nothing grows without end, as far as the last day tells")
    else:
        style = "red" if found.days < _SOON_DAYS else "none"
        when = f"{found.days:,.0f} days" if found.days >= 1 else f"{24 * found.days:.0f} hours"
        say(f"{free}; as the last day was, the disk is full in {when}", style)


def _table(found: list[Part]) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("part", "MB", "MB a day", "MB at most", "to keep less"):
        grid.add_column(name, justify="right" if "MB" in name else "left")
    for part in found:
        grid.add_row(
            part.name, _mb(part.bytes), _mb(part.daily), _mb(part.most),
            part.remedy if part.daily else "",
        )  # fmt: skip
    return grid


def _mb(size: float | None) -> str:
    return "" if size is None else f"{size / 1e6:,.1f}"
