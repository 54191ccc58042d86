"""What is measured where markets are taken in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from connectors.feed.feed import Counts
from infra.intake.intake import Taken
from infra.metrics.gauges import Gauges, Labels, Spread
from schemas import SECOND

_PLAIN = frozenset({"trades", "books", "latency"})
"""What comes, as it should."""


def intake_gauges(taken: Taken) -> Gauges:
    """Return what a process measures that takes markets in.

    Examples
    --------
    >>> gauges = intake_gauges(Taken({"okx:A/B": Counts(trades=7, stalls=1)}))
    >>> gauges.numbers["tapedeck_ingest_trades_total"]
    {('okx:A/B',): 7.0}
    >>> gauges.numbers["tapedeck_ingest_mishaps_total"]["okx:A/B", "stalls"]
    1.0

    """
    values: dict[str, dict[Labels, float]] = {}
    for name, labels, value in _all(taken):
        values.setdefault(f"tapedeck_ingest_{name}", {})[labels] = value
    logged: dict[str, dict[Labels, Spread]] = {}
    if taken.logged is not None:
        logged["tapedeck_ingest_log_seconds"] = {(): taken.logged}
    return Gauges(values, logged)


def _all(taken: Taken) -> Iterator[tuple[str, Labels, float]]:
    yield "away", (), float(len(taken.away))
    yield "history_troubled", (), float(taken.trouble is not None)
    for market, counts in taken.counts.items():
        yield "trades_total", (market,), float(counts.trades)
        yield "books_total", (market,), float(counts.books)
        if counts.trades:
            yield "arrival_seconds", (market,), counts.latency / SECOND
        for kind in fields(Counts):
            if kind.name not in _PLAIN:
                yield "mishaps_total", (market, kind.name), float(getattr(counts, kind.name))
