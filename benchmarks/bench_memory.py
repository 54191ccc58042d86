"""Memory does not grow with the length of a recording."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from benchmarks import data
from benchmarks.runs import replay


def bench(screen: Console) -> None:
    """Print the peak memory of job J on 1, 10 and 100 million trades."""
    grid = Table(title="Growth: job J on one dense market", title_justify="left")
    for title in ("trades", "peak MB", "k/s"):
        grid.add_column(title, justify="right")
    for market in data.GROWING:
        with screen.status(f"{market.name}: simulate, once, and replay"):
            took = replay("sma_cross", market.path(), 65_536)
        speed = f"{took.speed / 1000:,.0f}"
        grid.add_row(f"{took.found['trades']:,}", f"{took.megabytes:,.0f}", speed)
    screen.print(grid)
