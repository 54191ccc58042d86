"""What an executor measures: how it stands, and what it has told since it was started."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from connectors.blotter.order import Slip
from connectors.exact import NOTHING, add
from infra.executor.executing import Standing
from infra.metrics.gauges import Gauges, Labels, Spread, Stopwatch
from schemas import SECOND, Command, Report, Time

_MODES = {"reducing": 1.0, "halted": 2.0}
_ANSWERED, _FILLED = "answered", "filled"
_REMEMBERED = 1_000
_UNKNOWN = "unknown"


class Heard:
    """Counts what an executor tells the log, and how long the exchange takes for orders.

    Examples
    --------
    >>> heard = Heard()
    >>> for ts, status in ((7, "sent"), (7 + SECOND // 50, "acknowledged")):
    ...     heard.note(Report("okx:A/B", ts, "main:live", "demo", "x", status, purpose="enter"))
    >>> heard.took["answered"].spread().total
    0.02

    """

    def __init__(self) -> None:
        self.reports: Counter[Labels] = Counter()
        self.differences = 0
        self.took = {_ANSWERED: Stopwatch(), _FILLED: Stopwatch()}
        """From sending an order to the exchange's first word of it, and to its last fill."""
        self._sent: dict[str, Time] = {}
        self._answered: dict[str, None] = {}

    def note(self, event: Report | Command) -> None:
        """Count what is told."""
        if isinstance(event, Command):
            self.differences += 1
            return
        self.reports[event.status, event.purpose] += 1
        if event.status == "sent":
            self._sent[event.order] = event.ts
            if len(self._sent) > _REMEMBERED:
                self._forget(next(iter(self._sent)))
        elif event.order in self._sent and event.status != _UNKNOWN:
            self._time(event, (event.ts - self._sent[event.order]) / SECOND)

    def _time(self, event: Report, seconds: float) -> None:
        if event.order not in self._answered:
            self._answered[event.order] = None
            self.took[_ANSWERED].note(seconds)
        if event.status == _FILLED and event.purpose != "stop":  # a stop rests
            self.took[_FILLED].note(seconds)

    def _forget(self, order: str) -> None:
        del self._sent[order]
        self._answered.pop(order, None)


def executor_gauges(standing: Standing, heard: Heard) -> Gauges:
    """Return what an executor measures.

    Parameters
    ----------
    standing
        How it stands.
    heard
        What it has told.

    """
    values: dict[str, dict[Labels, float]] = {}
    for name, labels, value in (*_stands(standing), *_told(standing, heard)):
        values.setdefault(f"tapedeck_executor_{name}", {})[labels] = value
    took: dict[Labels, Spread] = {(name,): watch.spread() for name, watch in heard.took.items()}
    return Gauges(values, {"tapedeck_executor_order_seconds": took})


def _stands(standing: Standing) -> Iterator[tuple[str, Labels, float]]:
    yield "trading", (), float(standing.state == "trading")
    orders: Counter[Labels] = Counter((slip.status, slip.purpose) for slip in standing.orders)
    for labels, count in orders.items():
        yield "open_orders", labels, float(count)
    held: dict[Labels, Decimal] = {}
    for holding in standing.holdings:
        where = (holding.flow, holding.market)
        held[where] = add(held.get(where, NOTHING), holding.signed)
    for labels, amount in held.items():
        yield "position_amount", labels, float(amount)
    yield "mode", ("", ""), 0.0
    for scope, mode in standing.modes.items():
        yield "mode", tuple(scope), _MODES[mode.mode]
    for result in standing.results:
        yield "realised_pnl", (result.quote,), float(result.total)
        yield "realised_today", (result.quote,), float(result.today)
        yield "drawdown", (result.quote,), float(result.drawdown)
    yield from _doubts([slip for slip in standing.orders if slip.status == _UNKNOWN])


def _doubts(slips: list[Slip]) -> Iterator[tuple[str, Labels, float]]:
    oldest = min((slip.sent_at for slip in slips), default=0)
    yield "doubts", (), float(len(slips))
    yield "oldest_doubt_seconds", (), (time.time_ns() - oldest) / SECOND if oldest else 0.0


def _told(standing: Standing, heard: Heard) -> Iterator[tuple[str, Labels, float]]:
    yield "troubles", (), float(len(standing.troubles))
    yield "reports_waiting", (), float(standing.waiting)
    yield "differences_total", (), float(heard.differences)
    for labels, count in dict(heard.reports).items():
        yield "reports_total", labels, float(count)
    for result, times in standing.compared.items():
        yield "reconciliations_total", (result,), float(times)
    if standing.budget is not None:
        yield "request_budget", (), standing.budget.most
        yield "requests_used", (), standing.budget.used


def notice(event: Report | Command) -> tuple[str, str] | None:
    """Return the kind and the text of what people should know of it, if anything.

    Examples
    --------
    >>> told = Report("okx:A/B", 7, "main:live", "demo", "x", "rejected", reason="3 are open")
    >>> told.purpose = "enter"
    >>> notice(told)
    ('refused', 'demo · okx:A/B: enter rejected: 3 are open')

    """
    if isinstance(event, Command):
        return "halt", f"{event.market}: {event.action}, {event.who}"
    if event.status in ("rejected", "expired"):
        what = f"{event.purpose} {event.status}".strip()
        return "refused", f"{event.flow} · {event.market}: {what}: {event.reason}"
    return None
