"""Job J, and the learned flow, against a plain loop on the same file."""

from __future__ import annotations

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import data
from benchmarks.runs import Took, plain_loop, replay, typical

ROUNDS = 5
CASES = (
    ("dense: 1 market, 1,000 a candle", data.DENSE, 65_536),
    ("wide: 100 markets, 120 a candle", data.WIDE, 65_536),
    ("thin: 100 markets, 10 a candle", data.THIN, 65_536),
    ("live-like: 1 market, batches of 1", data.LIVE_ONE, 1),
    ("live-like: 10 markets, batches of 1", data.LIVE_TEN, 1),
)


def bench(screen: Console) -> None:
    """Print speeds: alternating fresh processes, the median of `ROUNDS`."""
    grid = Table(title=f"Job J, Parquet to numbers, median of {ROUNDS}", title_justify="left")
    for title in ("data", "trades", "loop k/s", "ours k/s", "ratio", "learned k/s", "MB"):
        grid.add_column(title, justify="left" if title == "data" else "right")
    for name, market, batch in CASES:
        path = market.path()
        loop: list[Took] = []
        ours: list[Took] = []
        learned: list[Took] = []
        for _ in track(range(ROUNDS), name, console=screen, transient=True):
            loop.append(plain_loop(path))
            ours.append(replay("sma_cross", path, batch))
            learned.append(replay("learned_cross", path, batch))
        same = ("trades", "candles", "positions", "gross_return")
        if any(ours[0].found[key] != loop[0].found[key] for key in same):
            screen.print(f"[red]{name}: loop and flow differ[/red]")
        grid.add_row(
            name, f"{loop[0].found['trades']:,}", _thousands(typical(loop)),
            _thousands(typical(ours)), f"{typical(ours) / typical(loop):.2f}",
            _thousands(typical(learned)), f"{max(run.megabytes for run in ours):,.0f}",
        )  # fmt: skip
    screen.print(grid)


def _thousands(speed: float) -> str:
    return f"{speed / 1000:,.0f}"
