"""Orders going out: how long from a trade on the log to the request on the exchange's socket."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.logs import embedded
from benchmarks.order_market import MARKETS
from benchmarks.ordering import Ordered, order

SECONDS = 20.0
RATES = (1_000, 5_000)
_ACTIONS = {"enter": "entry", "exit": "stop called off, sale"}


def bench(screen: Console, seconds: float = SECONDS) -> None:
    """Print the table; each rate has an exchange, a flow, an executor and a log of its own.

    Parameters
    ----------
    screen
        Where it is printed.
    seconds
        How long latencies are measured.

    """
    grid = Table(
        title=f"Trade to order, ms (p50 / p99): {MARKETS} perpetuals, {seconds:.0f} s a rate, "
        f"embedded log, no throttle",
        title_justify="left",
    )
    for name in ("events/s", "order", "orders", "to the queue", "on to the socket", "all", "max"):
        grid.add_column(name, justify="left" if name == "order" else "right")
    try:
        for rate in RATES:
            screen.print(f"{rate:,} events/s", style="dim")
            with embedded() as settings:
                _add(screen, grid, order(settings, rate, seconds))
    finally:
        screen.print(grid)


def _add(screen: Console, grid: Table, ordered: Ordered) -> None:
    for action, name in _ACTIONS.items():
        grid.add_row(f"{ordered.rate:,.0f}", name, *_row(ordered, action))
    percent = ", ".join(f"{who} {used:.0f}" for who, used in ordered.used.percent.items())
    screen.print(f"percent of a core: {percent}", style="dim")


def _row(ordered: Ordered, action: str) -> tuple[str, ...]:
    orders = [found for found in ordered.orders if found.action == action]
    sent = [(found, found.arrived) for found in orders if found.arrived is not None]
    lost = f" ({len(orders) - len(sent)} did not go out)" if len(sent) < len(orders) else ""
    whole = [arrived - found.cause for found, arrived in sent]
    return (
        f"{len(sent):,}{lost}",
        _percentiles(found.queued - found.cause for found in orders),
        _percentiles(arrived - found.queued for found, arrived in sent),
        _percentiles(whole),
        f"{max(whole, default=0) / 1e6:,.1f}",
    )


def _percentiles(nanoseconds: Iterable[int]) -> str:
    found = np.array([*nanoseconds], np.float64) / 1e6
    return "none" if not len(found) else "{:,.1f} / {:,.1f}".format(*np.percentile(found, (50, 99)))
