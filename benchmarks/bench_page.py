"""The live page: how soon it shows, how much it keeps up with, and what it takes along the way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from statistics import median

import numpy as np
import psutil
from clickhouse_connect.driver.client import Client
from playwright.sync_api import Browser
from rich.console import Console
from rich.table import Table

from benchmarks import page_history
from benchmarks.bench_history import forget
from benchmarks.logs import embedded
from benchmarks.page_history import EACH, PAST
from benchmarks.page_visit import Dashboard, Visit, browsers, dashboard, renderer
from benchmarks.scale_live import Piped
from infra.history.history import History
from infra.settings import Settings
from tests.infra.page.browser import chromium

EVENTS = 3_600_000
_COLD, _WARM = 5, 7
_RATES = (1_000, 2_000, 5_000, 10_000)
_WARM_UP, _SECONDS = 3, 10.0
"""How long it goes on at a rate before it is looked at, and how long it is."""
_STEADY = 5_000
"""Trades a second of the long run."""
_PARTS = (0.5 / 3.6, 1 / 3.6, 2 / 3.6, 1.0)
_FILL = 100_000
"""Candles that are made at once."""


def bench(screen: Console, events: int) -> None:
    """Print the table.

    Parameters
    ----------
    screen
        Where it is printed.
    events
        How many trades the long run has.

    """
    grid = Table(
        title=f"The page of a run of {PAST:,} candles, in headless Chromium", title_justify="left"
    )
    for name in ("what", "found"):
        grid.add_column(name)
    with embedded() as settings, chromium() as browser:
        history = History(settings)
        try:
            for what, found in _rows(screen, settings, history, browser, events):
                screen.print(f"{what}: {found}", style="dim", highlight=False)
                grid.add_row(what, found)
        finally:
            history.stop()
    screen.print(grid)


def _rows(
    screen: Console, settings: Settings, history: History, browser: Browser, events: int
) -> Iterator[tuple[str, str]]:
    with screen.status("history is filled"), closing(history.client("owner")) as owner:
        owner.command(page_history.run())
        for first in range(0, PAST, _FILL):
            _fill(owner, first, _FILL)
    yield from _first_candle(settings, history, browser)
    with (
        closing(history.client("owner")) as owner,
        dashboard(settings) as server,
        closing(_Market(settings, owner)) as market,
        closing(Visit(browser, server.address)) as visit,
    ):
        for rate in _RATES:
            yield from _at_rate(market, visit, server, rate)
        yield from _long(market, visit, server, events)


def _first_candle(
    settings: Settings, history: History, browser: Browser
) -> Iterator[tuple[str, str]]:
    cold, warm = [], []
    for _ in range(_COLD):
        forget(history)
        with dashboard(settings) as server, closing(Visit(browser, server.address)) as visit:
            cold.append(visit.took)
    with dashboard(settings) as server, closing(Visit(browser, server.address)) as visit:
        warm = [visit.again() for _ in range(_WARM)]
    for name, took in (("all just started", cold), ("loaded again", warm)):
        found = f"{median(took):,.0f} ms ({min(took):,.0f} to {max(took):,.0f} of {len(took)})"
        yield f"first candle, {name}", found


class _Market:
    """A market that goes on, in the log and in history, until it is closed."""

    def __init__(self, settings: Settings, owner: Client) -> None:
        self._owner = owner
        self._feed = Piped(["benchmarks.page_feed", str(settings.home)])
        self._kept = 0
        self.sent = 0

    def at(self, rate: float) -> None:
        """Go on at a rate for a second; history gets the candles that are over."""
        self.sent = int(self._feed.ask(f"{rate}"))
        over = self.sent // EACH
        if over > self._kept:
            _fill(self._owner, PAST + self._kept, over - self._kept)
            self._kept = over
        time.sleep(1.0)

    def close(self) -> None:
        """End it."""
        self._feed.end()


def _fill(owner: Client, first: int, many: int) -> None:
    for statement in page_history.minutes(first, many):
        owner.command(statement)


def _at_rate(
    market: _Market, visit: Visit, server: Dashboard, rate: float
) -> Iterator[tuple[str, str]]:
    """Yield how old prices were when they were drawn, and what that took."""
    for _ in range(_WARM_UP):
        market.at(rate)
    visit.ages()
    begun, sent, before = time.monotonic(), market.sent, _used(server)
    while time.monotonic() < begun + _SECONDS:
        market.at(rate)
    passed, after, ages = time.monotonic() - begun, _used(server), visit.ages()
    serving, browsing = (100 * (now - was) / passed for was, now in zip(before, after, strict=True))
    p50, p99, worst = np.percentile(ages or [np.inf], (50, 99, 100))
    found = f"{p50:,.0f} ms (p99 {p99:,.0f}, most {worst:,.0f}), {len(ages) / passed:.1f} times a s"
    yield f"price drawn, {(market.sent - sent) / passed:,.0f} trades/s", found
    yield "  of a core", f"server {serving:.0f} %, browser {browsing:.0f} %"


def _long(
    market: _Market, visit: Visit, server: Dashboard, events: int
) -> Iterator[tuple[str, str]]:
    """Go on for many trades, and look at the memory on the way."""
    begun = market.sent
    for part in (0.0, *_PARTS):
        while market.sent - begun < part * events:
            market.at(_STEADY)
            visit.ages()
        heap, nodes, candles = visit.size()
        serving, drawing = (p.memory_info().rss / 1e6 for p in (server.process, renderer()))
        found = f"MB: server {serving:,.0f}, browser {drawing:,.0f}, JavaScript {heap:,.1f}"
        yield f"after {market.sent - begun:,} trades", found
        yield "  at hand", f"{candles:,} candles, {nodes:,} nodes"


def _used(server: Dashboard) -> tuple[float, float]:
    """Return the seconds of processor time that server and browser have taken."""
    return _seconds([server.process]), _seconds(browsers())


def _seconds(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum((found.user + found.system for found in times), 0.0)
