"""What came of a run: its counts, the closing object for programs, and what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TypeAlias

from connectors.tally import MarketTally, total_return
from infra.currencies import mixed

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
        "candles": counted(markets, "Candle"),
        "signals": counted(markets, "Signal"),
        "refused": counted(markets, "Refused"),
        "refusals": dict(refusals(markets).most_common()),
        "positions": counted(markets, "Closed"),
        "open": still_open(markets),
        "wins": sum(tally.wins for tally in markets.values()),
        "pnl": _money(markets, "pnl"),
        "fees": _money(markets, "fees"),
        "gross_return": total_return(markets),
        "seconds": report.seconds,
        "ticks_per_second": report.trades / report.seconds if report.seconds else 0.0,
        "rejects": counted(markets, "Reject"),
        "late": counted(markets, "Late"),
        "repeated": counted(markets, "Repeated"),
        "gaps": counted(markets, "Gap"),
        "faults": counted(markets, "Fault"),
        "metrics": {market: tally.metrics for market, tally in markets.items() if tally.metrics},
        "finished": report.finished,
        "resumed": report.resumed,
    }


def troubles(report: Report, *, kept: bool) -> list[str]:
    """Return a line for each kind of thing that went wrong in the data or the flow.

    Parameters
    ----------
    kept
        Whether history has them, to be asked.

    """
    lines = []
    for kind, (table, what) in _TROUBLES.items():
        if count := counted(report.markets, kind):
            ask = _ASK.format(table=table, run=report.run) if kept else _SHOWN
            lines.append(f"{what}: {count:,}{ask}")
            lines += islice(_first(report.markets, kind), 1)
    if report.trouble:
        lines.append(
            f"history has not got all of it yet ({report.trouble}): the rows wait on disk, and go "
            f"in with the next run that reaches it, or with: deck history drain"
        )
    return lines


def _first(markets: Markets, kind: str) -> Iterator[str]:
    """Yield what each market tells of its first event of a kind, if it tells anything."""
    for market, tally in markets.items():
        if said := {"Fault": tally.fault, "Reject": tally.reject}.get(kind):
            yield f"the first, of {market}: {said}"


_ASK = "; deck sql \"SELECT * FROM {table} WHERE run = '{run}' LIMIT 9\""
_SHOWN = "; --events FILE shows them, or a run with history"
_TROUBLES = {
    "Reject": ("rejects", "rows that could not be read"),
    "Late": ("lates", "trades that came too late, and are in no candle"),
    "Repeated": ("repeated", "trades that came twice, and count once"),
    "Gap": ("gaps", "gaps in the tape"),
    "Fault": ("faults", "faults in the flow, whose markets only leave positions since"),
}


def counted(markets: Markets, kind: str) -> int:
    """Return how many events of a kind they have."""
    return sum(tally.counts[kind] for tally in markets.values())


def _money(markets: Markets, name: str) -> float | None:
    """Return a sum of money; None if it is of several currencies."""
    if mixed(markets):
        return None
    return float(total(getattr(tally, name) for tally in markets.values()))


def still_open(markets: Markets) -> int:
    """Return how many positions the tape ended in."""
    return sum(tally.held for tally in markets.values())


def refusals(markets: Markets) -> Counter[str]:
    """Return why something was refused, and how often."""
    return sum((tally.refusals for tally in markets.values()), Counter())


def total(values: Iterable[Decimal]) -> Decimal:
    """Return an exact sum of money."""
    return sum(values, Decimal(0))
