"""What a run is told as: the closing table for people, the closing object for programs."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from rich.table import Table

from connectors.tally import MarketTally, total_return
from infra.replay import Report


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


def table(report: Report) -> Table:
    """Return the closing table."""
    learned = any(tally.metrics for tally in report.markets.values())
    titles = ["market", "candles", "signals", "positions", "won", "return", "PnL", "fees"]
    if learned:
        titles += ["outcomes", "log loss", "base rate's", "AUC"]
    grid = Table(title=f"{report.flow} · run {report.run[:8]}", title_justify="left")
    for title in titles:
        grid.add_column(title, justify="left" if title == "market" else "right")
    for market, tally in report.markets.items():
        grid.add_row(*_row(market, {market: tally}, learned=learned))
    if len(report.markets) > 1:
        grid.add_section()
        grid.add_row(*_row("all", report.markets, learned=learned), style="bold")
    return grid


def troubles(report: Report) -> list[str]:
    """Return a line for each kind of thing that went wrong in the data or the flow."""
    markets = report.markets
    found = {
        "rejects": "rows could not be read: deck sql \"SELECT ts, why, payload FROM rejects\"",
        "late": "trades came too late: deck sql \"SELECT * FROM lates\"",
        "repeated": "trades came twice and count once: deck sql \"SELECT * FROM repeated\"",
        "gaps": "gaps in the tape: deck sql \"SELECT ts, why, start, end FROM gaps\"",
        "faults": "faults in the flow: deck sql \"SELECT ts, where, error, traceback FROM faults\"",
    }
    counts = summary(report)
    lines = [f"{counts[name]:,} {text}" for name, text in found.items() if counts[name]]
    if report.trouble:
        lines.append(
            f"history has not got all of it yet ({report.trouble}): the rows wait on disk, and go "
            "in with the next run that reaches it"
        )
    return [line for line in lines if markets or line]


def _row(name: str, markets: dict[str, MarketTally], *, learned: bool) -> list[str]:
    positions, wins = _count(markets, "Closed"), sum(tally.wins for tally in markets.values())
    cells = [
        name,
        f"{_count(markets, 'Candle'):,}",
        f"{_count(markets, 'Signal'):,}",
        f"{positions:,}",
        f"{wins / positions:.1%}" if positions else "–",
        f"{total_return(markets):+.2%}",
        f"{_sum(tally.pnl for tally in markets.values()):+,.2f}",
        f"{_sum(tally.fees for tally in markets.values()):,.2f}",
    ]
    if learned:
        cells += _model(markets)
    return cells


def _model(markets: dict[str, MarketTally]) -> list[str]:
    """Return outcomes and scores; of several models, each score is the mean over outcomes."""
    metrics = [tally.metrics for tally in markets.values() if tally.metrics]
    count = sum(numbers["count"] for numbers in metrics)
    if not count:
        return ["0", "–", "–", "–"]
    return [
        f"{count:,.0f}",
        *(
            f"{sum(numbers.get(name, 0.0) * numbers['count'] for numbers in metrics) / count:.4f}"
            for name in ("log_loss", "base_log_loss", "auc")
        ),
    ]


def _count(markets: dict[str, MarketTally], kind: str) -> int:
    return sum(tally.counts[kind] for tally in markets.values())


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))
