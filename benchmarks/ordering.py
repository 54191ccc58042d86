"""Orders, measured: trades on the log, `deck trade`, `deck executor`, an exchange that notes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass

from benchmarks.order_market import MARKETS, Market, flow
from benchmarks.order_started import PURSE, Exchange, said, started_deck, started_exchange
from benchmarks.processor import Processor, Used
from connectors.account.client_ids import client_id
from connectors.executor.order_queue import Asked, read_ask
from connectors.log.file import open_to_read
from connectors.log.holder import holder
from infra.log.log import MarketLog, OrderQueue
from infra.settings import Settings
from infra.trading.trading import executes
from schemas import Time

_WARM_ORDERS, _WARM_SECONDS = 20, 3.0
_READY_SECONDS, _DRAIN_SECONDS, _STEP_SECONDS = 60.0, 3.0, 0.25


@dataclass(frozen=True)
class Timed:
    """An order and when it was where, in ns of one clock."""

    action: str
    cause: Time
    """When the trade that is its cause was handed to the log."""
    queued: Time
    """When the queue's writer took it."""
    arrived: Time | None
    """When the exchange was first asked for it; None if it never was."""


@dataclass(frozen=True)
class Ordered:
    """What came of a measurement."""

    orders: list[Timed]
    used: Used
    rate: float
    """Events a second that were handed to the log."""


def order(settings: Settings, rate: float, seconds: float) -> Ordered:
    """Start all that it takes, measure for so long, and stop it."""
    MarketLog(settings).start()
    with ExitStack() as held:
        held.callback(OrderQueue(settings).stop)
        exchange = held.enter_context(started_exchange(MARKETS))
        client = held.enter_context(closing(MarketLog(settings).client()))
        market = Market(client, rate)
        executor = started_deck(settings, exchange.url, "benchmarks.unthrottled", "executor")
        pids = {"exchange": exchange.pid, "load": os.getpid()}
        pids["executor"] = held.enter_context(executor)
        _play_until(market, lambda: executes(settings, PURSE), settings)
        command = ("trade", str(flow(settings, rate)), "--no-history")
        pids["flow"] = held.enter_context(started_deck(settings, exchange.url, "infra", *command))
        _play_until(market, lambda: len(exchange.arrived()) >= _WARM_ORDERS, settings)
        market.play(_WARM_SECONDS)
        return _measured(settings, exchange, market, pids | _writers(settings), seconds)


def _measured(
    settings: Settings, exchange: Exchange, market: Market, pids: Mapping[str, int], seconds: float
) -> Ordered:
    processor, since = Processor(pids), time.time_ns()
    rate, until = market.play(seconds), time.time_ns()
    used = processor.used()
    market.play(_DRAIN_SECONDS)
    return Ordered(_timed(settings, exchange.arrived(), since, until), used, rate)


def _play_until(market: Market, condition: Callable[[], bool], settings: Settings) -> None:
    end = time.monotonic() + _READY_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"no orders come: {said(settings)}")
        market.play(_STEP_SECONDS)


def _writers(settings: Settings) -> dict[str, int]:
    homes = {"log writer": MarketLog(settings), "queue writer": OrderQueue(settings)}
    found = {name: holder(home.directory) for name, home in homes.items()}
    return {name: writer.pid for name, writer in found.items() if writer is not None}


def _timed(
    settings: Settings, arrived: Mapping[str, Time], since: Time, until: Time
) -> list[Timed]:
    """Return all orders whose cause was handed over within a stretch of time."""
    found = []
    with closing(open_to_read(OrderQueue(settings).directory)) as file:
        for queued, message in file.execute("SELECT time, message FROM messages ORDER BY place"):
            ask = read_ask(message)
            if isinstance(ask, Asked) and since <= ask.order.ts < until:
                wanted = ask.order
                id_ = client_id(ask.flow, ask.run, wanted.market, str(wanted.order))
                found.append(Timed(wanted.action, wanted.ts, queued, arrived.get(id_)))
    return found
