"""Taking markets in: how soon a trade is on the tape, how many can be, and what it costs."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks.logs import Opened, embedded, logs
from benchmarks.processor import OTHERS
from benchmarks.started import Load
from benchmarks.taking import Taken, take_in

SECONDS, HOLD_SECONDS = 20.0, 60.0
RATES = (500, 1_000, 2_000)
MARKETS = 10
BOOKS = 10
"""Updates a second where books are not what is measured: each market's, once."""
MANY = (1, 20, 200)
MANY_RATE = 500
BOOKS_EACH, BOOKS_MOST = 10, 500
FIRST_RATE = 1_000
BISECTIONS = 2
_PROCESSES = ("exchange", "ingest", "log writer", "reader", OTHERS)


def bench(screen: Console, seconds: float = SECONDS, hold: float = HOLD_SECONDS) -> None:
    """Print all tables; each measurement is its own exchange, ingest and log.

    Parameters
    ----------
    screen
        Where they are printed.
    seconds
        How long latencies are measured.
    hold
        How long a rate must hold.

    """
    latency(screen, seconds)
    highest(screen, hold)
    markets(screen, seconds)
    if len(logs()) == 1:
        screen.print("Kafka: set KAFKA_BOOTSTRAP to measure it, too", style="dim")


def latency(screen: Console, seconds: float) -> None:
    """Print latencies at some rates."""
    grid = _grid(
        f"Socket to tape, ms: {MARKETS} markets, {seconds:.0f} s a rate",
        "log", "trades/s", "p50", "p99", "max", "faults",
    )  # fmt: skip
    for name, opened in logs().items():
        for rate in RATES:
            taken = _measured(screen, name, opened, Load(MARKETS, rate, BOOKS), seconds)
            grid.add_row(name, f"{rate:,}", *_latencies(taken), ", ".join(taken.faults) or "none")
    screen.print(grid)


def highest(screen: Console, seconds: float) -> None:
    """Print the highest rate that holds in each log."""
    for name, opened in logs().items():
        found = _highest(screen, name, opened, seconds)
        screen.print(f"{name}: {found:,.0f} trades/s hold")


def _highest(screen: Console, name: str, opened: Opened, seconds: float) -> float:
    """Print each step of the search, and who was busy; return what it found."""
    grid = _grid(
        f"{name}: {MARKETS} markets, {seconds:.0f} s a rate; ms, and percent of a core",
        "trades/s", "p50", "p99", "p99, end", *_PROCESSES, "holds", "bottleneck",
    )  # fmt: skip

    def holds(rate: float) -> bool:
        taken = _measured(screen, name, opened, Load(MARKETS, rate, BOOKS), seconds)
        percent = (f"{taken.used.percent.get(process, 0):.0f}" for process in _PROCESSES)
        grid.add_row(
            f"{rate:,.0f}", f"{taken.p50:,.1f}", f"{taken.p99:,.1f}", f"{taken.end:,.1f}",
            *percent, taken.trouble() or "yes", taken.used.bottleneck(),
        )  # fmt: skip
        return not taken.trouble()

    try:
        return search(holds)
    finally:
        screen.print(grid)


def markets(screen: Console, seconds: float) -> None:
    """Print what many markets cost in one process."""
    grid = _grid(
        f"{MANY_RATE} trades/s and books in one process, embedded, {seconds:.0f} s",
        "markets", "books/s", "CPU %", "RSS MB", "p50", "p99", "max", "faults",
    )  # fmt: skip
    for count in MANY:
        load = Load(count, MANY_RATE, min(count * BOOKS_EACH, BOOKS_MOST))
        taken = _measured(screen, f"embedded, markets: {count}", embedded, load, seconds)
        percent, memory = taken.used.percent["ingest"], taken.used.megabytes["ingest"]
        grid.add_row(
            str(count), f"{load.books:,.0f}", f"{percent:.0f}", f"{memory:,.0f}",
            *_latencies(taken), ", ".join(taken.faults) or "none",
        )  # fmt: skip
    screen.print(grid)


def search(holds: Callable[[float], bool]) -> float:
    """Return the highest rate found to hold, by doubling, then halving what is between.

    Examples
    --------
    >>> search(lambda rate: rate <= 7_200)
    7000.0

    """
    low, high = 0.0, float(FIRST_RATE)
    while holds(high):
        low, high = high, high * 2
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _measured(screen: Console, name: str, opened: Opened, load: Load, seconds: float) -> Taken:
    # No spinner: it would turn in the process whose latencies are measured.
    screen.print(f"{name}: {load.rate:,.0f} trades/s", style="dim")
    with opened() as settings:
        return take_in(settings, load, seconds)


def _grid(title: str, *names: str) -> Table:
    grid = Table(title=title, title_justify="left")
    for name in names:
        texts = ("log", "faults", "holds", "bottleneck")
        grid.add_column(name, justify="left" if name in texts else "right")
    return grid


def _latencies(taken: Taken) -> tuple[str, str, str]:
    return f"{taken.p50:,.1f}", f"{taken.p99:,.1f}", f"{taken.worst:,.1f}"
