"""What a run is told as: the closing table for people, the closing object for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from connectors.tally import MarketTally, total_return

Markets: TypeAlias = Mapping[str, MarketTally]


@dataclass(frozen=True)
class Report:
    """What a replay did."""

    run: str
    flow: str
    markets: dict[str, MarketTally]
    trades: int
    seconds: float
    resumed: bool
    finished: bool
    trouble: str | None
    """Why history has not got all of it yet, if it has not."""


def summary(report: Report) -> dict[str, object]:
    """Return the closing table as plain values, over the whole run."""
    markets = report.markets
    return {
        "run": report.run,
        "flow": report.flow,
        "markets": len(markets),
        "trades": report.trades,
        "candles": _count(markets, "Candle"),
        "signals": _count(markets, "Signal"),
        "refused": _count(markets, "Refused"),
        "refusals": dict(_refusals(markets).most_common()),
        "positions": _count(markets, "Closed"),
        "open": _count(markets, "Opened") - _count(markets, "Closed"),
        "wins": sum(tally.wins for tally in markets.values()),
        "pnl": float(_sum(tally.pnl for tally in markets.values())),
        "fees": float(_sum(tally.fees for tally in markets.values())),
        "return": total_return(markets),
        "seconds": report.seconds,
        "ticks_per_second": report.trades / report.seconds if report.seconds else 0.0,
        "rejects": _count(markets, "Reject"),
        "late": _count(markets, "Late"),
        "repeated": _count(markets, "Repeated"),
        "gaps": _count(markets, "Gap"),
        "faults": _count(markets, "Fault"),
        "metrics": {market: tally.metrics for market, tally in markets.items() if tally.metrics},
        "finished": report.finished,
        "resumed": report.resumed,
    }


def tables(report: Report, width: int) -> list[Table]:
    """Return the closing tables, with as many columns as the width has room for."""
    title = f"{report.flow} · run {report.run[:8]}"
    grids = [_fitting(title, report.markets, _TRADED, _SPARED, width)]
    learned = {market: tally for market, tally in report.markets.items() if tally.metrics}
    if learned:
        grids.append(_fitting("what the model knew", learned, _LEARNED, [], width))
    if refusals := _refusals(report.markets):
        grids.append(_why_refused(refusals))
    return grids


def troubles(report: Report, *, kept: bool) -> list[str]:
    """Return a line for each kind of thing that went wrong in the data or the flow.

    Parameters
    ----------
    kept
        Whether history has them, to be asked.

    """
    lines = []
    for kind, (table, what) in _TROUBLES.items():
        if count := _count(report.markets, kind):
            ask = _ASK.format(table=table, run=report.run) if kept else _SHOWN
            lines.append(f"{what}: {count:,}{ask}")
    if report.trouble:
        lines.append(
            f"history has not got all of it yet ({report.trouble}): the rows wait on disk, and go "
            f"in with the next run that reaches it, or with: deck history drain"
        )
    return lines


_ASK = "; deck sql \"SELECT * FROM {table} WHERE run = '{run}' LIMIT 9\""
_SHOWN = "; --events FILE shows them, or a run with history"
_TROUBLES = {
    "Reject": ("rejects", "rows that could not be read"),
    "Late": ("lates", "trades that came too late, and are in no candle"),
    "Repeated": ("repeated", "trades that came twice, and count once"),
    "Gap": ("gaps", "gaps in the tape"),
    "Fault": ("faults", "faults in the flow, whose markets only leave positions since"),
}


def _won(markets: Markets) -> str:
    positions, wins = _count(markets, "Closed"), sum(tally.wins for tally in markets.values())
    return f"{wins / positions:.1%}" if positions else "–"


def _score(name: str) -> Callable[[Markets], str]:
    """Return a column of a score; of several models, the mean over outcomes."""

    def cell(markets: Markets) -> str:
        metrics = [tally.metrics for tally in markets.values() if name in tally.metrics]
        count = sum(numbers["count"] for numbers in metrics)
        total = sum(numbers[name] * numbers["count"] for numbers in metrics)
        return f"{total / count:.4f}" if count else "–"

    return cell


def _counted(kind: str) -> Callable[[Markets], str]:
    return lambda markets: f"{_count(markets, kind):,}"


_TRADED: dict[str, Callable[[Markets], str]] = {
    "candles": _counted("Candle"),
    "signals": _counted("Signal"),
    "positions": _counted("Closed"),
    "won": _won,
    "return": lambda markets: f"{total_return(markets):+.2%}",
    "PnL": lambda markets: f"{_sum(tally.pnl for tally in markets.values()):+,.2f}",
    "fees": lambda markets: f"{_sum(tally.fees for tally in markets.values()):,.2f}",
}
_REASONS = 8
"""How many reasons are told one by one."""
_SPARED = ["candles", "fees", "signals"]
"""What is left out first where there is no room."""
_LEARNED: dict[str, Callable[[Markets], str]] = {
    "outcomes": _counted("Outcome"),
    "log loss": _score("log_loss"),
    "base rate's": _score("base_log_loss"),
    "AUC": _score("auc"),
}


def _fitting(
    title: str,
    markets: Markets,
    columns: Mapping[str, Callable[[Markets], str]],
    spared: list[str],
    width: int,
) -> Table:
    console = Console(width=1000)
    grid = _grid(title, markets, columns)
    for number in range(len(spared)):
        if Measurement.get(console, console.options, grid).maximum <= width:
            break
        without = spared[: number + 1]
        left = {name: cell for name, cell in columns.items() if name not in without}
        grid = _grid(title, markets, left)
    return grid


def _grid(title: str, markets: Markets, columns: Mapping[str, Callable[[Markets], str]]) -> Table:
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("market", *columns):
        grid.add_column(name, justify="left" if name == "market" else "right")
    rows = {market: {market: tally} for market, tally in markets.items()}
    for market, own in rows.items():
        grid.add_row(market, *(cell(own) for cell in columns.values()))
    if len(rows) > 1:
        grid.add_section()
        grid.add_row("all", *(cell(markets) for cell in columns.values()), style="bold")
    return grid


def _why_refused(refusals: Counter[str]) -> Table:
    """Return why signals became no positions, or smaller ones; the rarest reasons as one."""
    grid = Table(
        title="what was refused", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    grid.add_column("times", justify="right", no_wrap=True)
    grid.add_column("why")
    shown = refusals.most_common(_REASONS)
    for why, count in shown:
        grid.add_row(f"{count:,}", Text(why))
    if rest := refusals.total() - sum(count for _, count in shown):
        grid.add_row(f"{rest:,}", "other reasons")
    return grid


def _refusals(markets: Markets) -> Counter[str]:
    return sum((tally.refusals for tally in markets.values()), Counter())


def _count(markets: Markets, kind: str) -> int:
    return sum(tally.counts[kind] for tally in markets.values())


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))
