"""Which stories there are: the latest positions of a run, or its signals that were refused."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client
from rich import box
from rich.markup import escape
from rich.table import Table

from infra.stories.names import Name, StoryError
from infra.stories.words import bps, clock, day, money
from infra.verify.which import Run, which
from schemas import Time

_SHOWN = 15
_RECENT = "SELECT run FROM runs FINAL ORDER BY started DESC LIMIT 50"
_WANTED = "SELECT count() FROM signals WHERE flow = {flow:String} AND run = {run:String}"
_POSITIONS = """
SELECT market, position, toUnixTimestamp64Nano(opened), side, ifNull(why, ''), pnl, net_return
FROM positions WHERE flow = {flow:String} AND run = {run:String}
ORDER BY opened DESC, market, position DESC LIMIT {shown:UInt32}
"""
_REFUSED = """
SELECT market, seq, toUnixTimestamp64Nano(ts), action, refused, NULL, NULL
FROM decisions WHERE flow = {flow:String} AND run = {run:String} AND refused IS NOT NULL
ORDER BY ts DESC, market, seq DESC LIMIT {shown:UInt32}
"""


class Latest(NamedTuple):
    """What there is, and what to do with it."""

    table: Table
    next: str


def latest(client: Client, home: Path, run: str, *, signals: bool) -> Latest:
    """Return the latest positions of a run, or its signals that were refused.

    Parameters
    ----------
    client
        Reads history.
    home
        Where deployments are known.
    run
        Which run; the latest that wanted anything, if it is empty.
    signals
        Whether refused signals are wanted.

    Raises
    ------
    StoryError
        When there are none.

    """
    found = which(run, client, home) if run else _recent(client, home)
    query = _REFUSED if signals else _POSITIONS
    given = {"flow": found.flow, "run": found.run, "shown": _SHOWN}
    rows = client.query(query, given).result_rows
    what = "refused signals" if signals else "positions"
    if not rows:
        raise StoryError(f"run {found.run[:8]} of {found.flow} has no {what}")
    title = f"the latest {what} of {found.flow}, run {found.run[:8]}, {found.mode}"
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("name", "at", "what", "left for" if not signals else "why"):
        grid.add_column(name, overflow="fold")
    if not signals:
        grid.add_column("made", justify="right", no_wrap=True)
    for row in rows:
        grid.add_row(*_cells(found, *row)[: 4 if signals else 5])
    option = " --signal" if signals else ""
    return Latest(grid, f"deck explain{option} {Name(found.run, rows[0][0], rows[0][1])}")


def _recent(client: Client, home: Path) -> Run:
    """Return the latest run that wanted anything."""
    for (run,) in client.query(_RECENT).result_rows:
        found = which(run, client, home)
        if client.command(_WANTED, {"flow": found.flow, "run": found.run}):
            return found
    raise StoryError("history has no run with a signal: make run, or deck replay, fills it")


def _cells(
    run: Run, market: str, number: int, ts: Time, what: str, why: str, pnl: object, part: object
) -> list[str]:
    made = "open"
    if isinstance(part, float):
        made = f"{money(float(str(pnl)), market)}, {bps(part)}"
    name, at = str(Name(run.run, market, number)), f"{day(ts)} {clock(ts)[:8]}"
    return [escape(name), at, what, escape(why), made]
