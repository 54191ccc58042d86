"""From one market to many, and from one process to two: throughput, latency, stops and starts."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.data import Market
from benchmarks.logs import embedded
from benchmarks.runs import replay
from benchmarks.scale_live import Step, at_rate, feeding, trading

MARKETS = (1, 10, 100, 500)
TRADES, RATE = 1_000_000, 20
RATES = (1_000, 2_000, 4_000, 8_000, 16_000)
SECONDS = 5.0
RESTARTED, STARTS = 100, 3
PAST_MINUTES, PAST_RATE = 150, 10
_TICKS = "benchmarks/flow_ticks.py"
_LEARNED = "flows/learned_cross.py"
_MANY_CORES = (4, 8, 16)


def bench(screen: Console, seconds: float = SECONDS) -> None:
    """Print all tables."""
    throughput(screen)
    live(screen, seconds)
    restarts(screen, seconds)


def throughput(screen: Console) -> None:
    """Print how many trades a second a replay takes."""
    title = f"Replay, k trades/s: {TRADES:,} trades, {RATE} a candle; processes"
    grid = _grid(title, "markets", "sma 1", "sma 2", "learned 1", "learned 2", "MB")
    for count in MARKETS:
        path = Market(f"scale-{count}", TRADES, count, RATE).path()
        took = [
            replay(flow, path, 65_536, processes)
            for flow in ("sma_cross", "learned_cross")
            for processes in (1, 2)
        ]
        speeds = (f"{run.speed / 1e3:,.0f}" for run in took)
        grid.add_row(str(count), *speeds, f"{took[2].megabytes:,.0f}")
    screen.print(grid)


def live(screen: Console, seconds: float) -> None:
    """Print latencies at growing rates, up to the first that does not hold."""
    grid = _grid(
        "Log to outlet, ms, one trade a message; percent of a core",
        "markets", "trades/s", "p50", "p99", "flow", "log writer", "feed", "holds",
    )  # fmt: skip
    best: list[Step] = []
    for count in MARKETS:
        screen.print(f"{count} markets", style="dim")
        with (
            embedded() as settings,
            feeding(settings, count) as feed,
        ):
            feed.at(RATES[0])
            with trading(settings, _TICKS, settings.home / "store", "0s") as flow:
                for rate in RATES:
                    step = at_rate(settings, feed, flow, rate, seconds)
                    grid.add_row(str(count), *_row(step))
                    if not step.holds():
                        break
                    best.append(step)
    screen.print(grid)
    if best:
        beyond(screen, max(best, key=lambda step: step.rate))


def beyond(screen: Console, step: Step) -> None:
    """Print what is to be expected of more cores than there are here."""
    flow, writer = (step.sent / step.used.percent[name] * 100 for name in ("flow", "log writer"))
    screen.print(
        f"computed from {step.rate:,.0f} trades/s: a core takes {flow:,.0f} a second in the flow, "
        f"{writer:,.0f} in the log's writer; one core each for the writer and for who feeds it, "
        f"processes that share nothing:",
        soft_wrap=True,
    )
    for cores in _MANY_CORES:
        most = min(writer, (cores - 2) * flow)
        why = "the log's writer" if writer < (cores - 2) * flow else "the flow's processes"
        screen.print(f"  {cores} cores: {most:,.0f} trades/s, bound by {why}")


def restarts(screen: Console, seconds: float) -> None:
    """Print what stopping, starting and snapshots cost with many markets that learn."""
    grid = _grid(
        f"{RESTARTED} markets that learn, {PAST_MINUTES} minutes past, {RATES[0]:,} trades/s",
        "what", "took",
    )  # fmt: skip
    with embedded() as settings, feeding(settings, RESTARTED, PAST_MINUTES, PAST_RATE) as feed:
        feed.at(RATES[0])
        store = settings.home / "store"
        with trading(settings, _LEARNED, store, f"{PAST_MINUTES}m") as flow:
            at_rate(settings, feed, flow, RATES[0], 20.0)
            grid.add_row("first start to the first event", f"{flow.started:.2f} s")
            grid.add_row("stop", f"{flow.stop():.2f} s")
        grid.add_row("store", f"{_size(store) / 1e6:,.1f} MB")
        started, stopped, percent = [], [], []
        for _ in range(STARTS):
            with trading(settings, _LEARNED, store, f"{PAST_MINUTES}m") as flow:
                percent.append(_percent(at_rate(settings, feed, flow, RATES[0], seconds)))
                started.append(flow.started)
                stopped.append(flow.stop())
        with trading(settings, _LEARNED, None, "0s") as flow:
            without = _percent(at_rate(settings, feed, flow, RATES[0], seconds))
    grid.add_row(f"start again to the first event, median of {STARTS}", f"{median(started):.2f} s")
    grid.add_row(f"stop, median of {STARTS}", f"{median(stopped):.2f} s")
    grid.add_row("flow, with snapshots", f"{median(percent):.0f} % of a core")
    grid.add_row("flow, without", f"{without:.0f} % of a core")
    grid.add_row("so a snapshot each second costs", f"{10 * (median(percent) - without):.0f} ms")
    screen.print(grid)


def _percent(step: Step) -> float:
    return step.used.percent["flow"]


def _size(store: Path) -> int:
    return sum(path.stat().st_size for path in store.rglob("*") if path.is_file())


def _row(step: Step) -> tuple[str, ...]:
    percent = (f"{step.used.percent.get(name, 0):.0f}" for name in ("flow", "log writer", "feed"))
    verdict = "yes" if step.holds() else step.used.bottleneck()
    return f"{step.rate:,.0f}", f"{step.came.p50:,.1f}", f"{step.came.p99:,.1f}", *percent, verdict


def _grid(title: str, *names: str) -> Table:
    grid = Table(title=title, title_justify="left")
    for name in names:
        grid.add_column(name, justify="left" if name in ("what", "holds") else "right")
    return grid
