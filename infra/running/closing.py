"""The closing tables of a run: what was traded, what the model knew, what was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from math import sqrt
from typing import TypeAlias

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from connectors.tally import total_return
from infra.currencies import mixed
from infra.running.report import Markets, Report, counted, refusals, still_open, total

Columns: TypeAlias = Mapping[str, Callable[[Markets], str]]
"""What stands in each column, of a market or of all."""


def tables(report: Report, width: int) -> list[Table]:
    """Return the closing tables, with as many columns as the width has room for."""
    title, markets = f"{report.flow} · run {report.run[:8]}", report.markets
    traded = {**_TRADED, **(_OPEN if still_open(markets) else {}), **_MADE}
    grids = [_fitting(title, markets, traded, width)]
    for score, columns in _KNEW.items():
        if learned := {name: tally for name, tally in markets.items() if score in tally.metrics}:
            grids.append(_grid("what the model knew", learned, columns))
    if why := refusals(markets):
        grids.append(_why_refused(why))
    return grids


def _won(markets: Markets) -> str:
    positions, wins = counted(markets, "Closed"), sum(tally.wins for tally in markets.values())
    return f"{wins / positions:.1%}" if positions else "–"


def _mean(markets: Markets, score: str) -> float:
    """Return a score; of several models, the mean over outcomes."""
    metrics = [tally.metrics for tally in markets.values()]
    count = sum(numbers["count"] for numbers in metrics)
    return sum(numbers[score] * numbers["count"] for numbers in metrics) / count


def _score(name: str) -> Callable[[Markets], str]:
    return lambda markets: f"{_mean(markets, name):.4f}"


def _root(name: str) -> Callable[[Markets], str]:
    return lambda markets: f"{sqrt(_mean(markets, name)) * 1e4:.1f} bps"


def _money(name: str, form: str) -> Callable[[Markets], str]:
    """Return a column of money; what is of several currencies is not added up."""

    def cell(markets: Markets) -> str:
        if mixed(markets):
            return "–"
        return format(total(getattr(tally, name) for tally in markets.values()), form)

    return cell


def _events(kind: str) -> Callable[[Markets], str]:
    return lambda markets: f"{counted(markets, kind):,}"


_TRADED: Columns = {
    "candles": _events("Candle"),
    "signals": _events("Signal"),
    "positions": _events("Closed"),
}
_OPEN: Columns = {"open": lambda markets: f"{still_open(markets):,}"}
_MADE: Columns = {
    "won": _won,
    "gross": lambda markets: f"{total_return(markets):+.2%}",
    "PnL": _money("pnl", "+,.2f"),
    "fees": _money("fees", ",.2f"),
}
_SPARED = ["candles", "fees", "signals"]
"""What is left out first where there is no room."""
_KNEW: Mapping[str, Columns] = {
    "log_loss": {
        "outcomes": _events("Outcome"),
        "log loss": _score("log_loss"),
        "base rate's": _score("base_log_loss"),
        "AUC": _score("auc"),
    },
    "mse": {
        "outcomes": _events("Outcome"),
        "error (RMS)": _root("mse"),
        "that of saying 0": _root("base_mse"),
        "sign right": lambda markets: f"{_mean(markets, 'accuracy'):.1%}",
    },
}
"""What is told of a model: of a classifier, of a regressor; by a score that only it has."""
_REASONS = 8
"""How many reasons are told one by one."""


def _fitting(title: str, markets: Markets, columns: Columns, width: int) -> Table:
    console = Console(width=1000)
    grid = _grid(title, markets, columns)
    for number in range(len(_SPARED)):
        if Measurement.get(console, console.options, grid).maximum <= width:
            break
        without = _SPARED[: number + 1]
        left = {name: cell for name, cell in columns.items() if name not in without}
        grid = _grid(title, markets, left)
    return grid


def _grid(title: str, markets: Markets, columns: Columns) -> Table:
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


def _why_refused(reasons: Counter[str]) -> Table:
    """Return why signals became no positions, or smaller ones; the rarest reasons as one."""
    grid = Table(
        title="what was refused", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    grid.add_column("times", justify="right", no_wrap=True)
    grid.add_column("why")
    shown = reasons.most_common(_REASONS)
    for why, count in shown:
        grid.add_row(f"{count:,}", Text(why))
    if rest := reasons.total() - sum(count for _, count in shown):
        grid.add_row(f"{rest:,}", "other reasons")
    return grid
