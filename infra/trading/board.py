"""What `deck trade` shows of each market: what is held, what was asked and told last, how late."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from connectors.recordings.tracks import Item
from infra.running.far import FLAT, Line
from schemas import (
    SECOND,
    Closed,
    Event,
    Fault,
    Fill,
    Halt,
    Opened,
    Order,
    Refused,
    Report,
    Time,
    Trades,
)
from schemas.tables import Record

_NOTHING = "–"
_NO_NEWS = "already "
"""A signal that wants what is there already, or under way, is refused with these words."""


class TradeBoard:
    """An outlet that keeps what was concluded last, and is shown what comes, too.

    Parameters
    ----------
    flow, run
        Whose reports count.

    """

    def __init__(self, flow: str, run: str) -> None:
        self.lines: dict[str, Line] = {}
        self._flow, self._run = flow, run

    def seen(self, items: list[Item]) -> list[Item]:
        """Take note of what comes, and return it."""
        for market, strip in items:
            line = self._line(market)
            for event in strip:
                if type(event) is Report and (event.flow, event.run) == (self._flow, self._run):
                    line.report = _reported(event)
            line.stamp = _stamp(strip[-1]) if strip else line.stamp
        return items

    def resume(self, state: Mapping[str, object] | None) -> None:
        """Go on from what was known."""
        self.lines = cast("dict[str, Line]", dict(state or {}))

    def write(self, records: list[Record]) -> None:
        """Take note of what was concluded of one market."""
        line = self._line(records[0].event.market)
        for _, event in records:
            _conclude(line, event)

    def snapshot(self) -> Mapping[str, object]:
        """Return what is known."""
        return self.lines

    def close(self) -> None:
        """Nothing is held."""

    def _line(self, market: str) -> Line:
        line = self.lines.get(market)
        if line is None:  # others may be looking at them: what they look at is never changed
            line = Line()
            self.lines = {**self.lines, market: line}
        return line


def board(lines: Mapping[str, Line], width: int, now: Time | None = None) -> RenderableType:
    """Return it as a table; where there is no room for all of it, what was said stands below.

    Parameters
    ----------
    lines
        What is known of each market.
    width
        Of the terminal.
    now
        Our clock; how far it is ahead of what came last is how far a market is behind.

    """
    now = time.time_ns() if now is None else now
    whole = _table(lines, now, said=True)
    console = Console(width=1000)
    if Measurement.get(console, console.options, whole).maximum <= width:
        return whole
    said = (
        Text(f"{market}  {line.order} · {line.report}")
        for market, line in sorted(lines.items())
        if (line.order, line.report) != (_NOTHING, _NOTHING)
    )
    return Group(_table(lines, now, said=False), *said)


def _table(lines: Mapping[str, Line], now: Time, *, said: bool) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("market", "mode", "position", *(("last order", "last report") if said else ())):
        grid.add_column(name, no_wrap=True)
    grid.add_column("behind", justify="right", no_wrap=True)
    for market, line in sorted(lines.items()):
        behind = f"{(now - line.stamp) / SECOND:,.1f} s" if line.stamp else _NOTHING
        told = (line.order, line.report) if said else ()
        grid.add_row(market, line.mode, line.position, *told, behind)
    return grid


def _conclude(line: Line, event: Event) -> None:
    match event:
        case Opened():
            line.position = f"{event.side} {_short(event.amount)} at {_short(event.entry)}"
        case Closed():
            line.position = FLAT
            line.report = f"closed, {event.why}: {event.pnl:+,.2f}"
        case Order():
            line.order = f"{event.action}: {event.side} {_short(event.amount)}"
        case Fill():
            line.report = f"filled {_short(event.amount)} at {_short(event.price)}"
        case Refused() if line.position == FLAT and not event.why.startswith(_NO_NEWS):
            line.report = f"{event.action} refused: {event.why}"
        case Halt():
            line.mode = event.state
        case Fault():
            line.report = f"fault in {event.where}: {event.error}"


def _reported(report: Report) -> str:
    said = f"{report.purpose} {report.status}".strip()
    if report.amount is not None and report.price is not None:
        said += f" {_short(report.amount)} at {_short(report.price)}"
    return f"{said}: {report.reason}" if report.reason else said


def _short(number: Decimal) -> str:
    """Return a number as people read it; averages have many digits."""
    return f"{float(number):,.8g}"


def _stamp(event: Event) -> Time:
    return event.stamp.item(-1) if isinstance(event, Trades) else event.ts
