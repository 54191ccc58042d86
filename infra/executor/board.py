"""What `deck executor` shows: what is held, which orders are open, and who may not enter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from connectors.blotter.order import Slip
from connectors.blotter.position import Holding
from infra.executor.executing import Standing


def board(purse: str, standing: Standing) -> Group:
    """Return how an executor stands.

    Parameters
    ----------
    purse
        Whose it is.
    standing
        How it stands.

    """
    return Group(*_parts(purse, standing))


def _parts(purse: str, standing: Standing) -> Iterator[RenderableType]:
    waiting = f" · {standing.waiting:,} reports wait" if standing.waiting else ""
    made = "".join(
        f" · {result.total:+,.2f} {result.quote}, today {result.today:+,.2f}"
        for result in standing.results
    )
    yield Text(f"{purse} · {standing.state}{made}{waiting}")
    for scope, mode in sorted(standing.modes.items()):
        whose = " in ".join(filter(None, scope)) or "all"
        yield Text(f"{whose}: {mode.mode}, {mode.why}", "yellow")
    # Nothing is held yet of what is about to enter: its order tells of it.
    held = [holding for holding in standing.holdings if holding.entered or holding.why]
    if held:
        yield _held(held)
    if standing.orders:
        yield _orders(standing)
    if standing.known and not (held or standing.orders):
        yield Text("nothing is held, no order is open")


def _held(holdings: Iterable[Holding]) -> Table:
    grid = _grid("flow", "market", "held", "at", "state")
    for holding in holdings:
        at = _short(holding.average) if holding.entered else "–"
        state = f"{holding.stage}: {holding.why}" if holding.why else holding.stage
        held = f"{holding.side} {_short(holding.held)}"
        grid.add_row(holding.flow, holding.market, held, at, state)
    return grid


def _orders(standing: Standing) -> Table:
    grid = _grid("flow", "market", "order", "filled", "state")
    for slip in standing.orders:
        asked = f"{slip.purpose}: {slip.side} {_short(slip.amount)}{_at(slip)}"
        grid.add_row(slip.flow, slip.market, asked, _short(slip.filled), slip.status)
    return grid


def _at(slip: Slip) -> str:
    price = slip.stop_price if slip.stop_price is not None else slip.price
    return "" if price is None else f" at {_short(price)}"


def _grid(*columns: str) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        grid.add_column(name, no_wrap=name in ("flow", "market"))
    return grid


def _short(number: Decimal) -> str:
    """Return a number as people read it; averages have many digits."""
    return f"{float(number):,.8g}"
