"""Exchanges as a source of a flow, under the engine itself."""

from __future__ import annotations

from collections.abc import Callable

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, run_main

from connectors.exchange.exchange import Exchange
from connectors.exchange.source import ExchangeSource
from connectors.recordings.tracks import Item
from schemas import Trades
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made

run: Callable[..., None] = run_main  # the engine ships no types for it


def test_a_flow_is_given_what_comes_and_ends_when_it_is_told_to() -> None:
    out: list[Item] = []
    with BinanceStandIn([made(300)]) as standin:
        running: list[Exchange] = []
        source = ExchangeSource(
            lambda: Exchange(["binance:BTC/USDT"], {"binance": standin.url}), running.append
        )
        played: list[int] = []

        def watch(item: Item) -> Item:
            if not played and standin.listeners("spot:BTCUSDT@trade"):
                played.append(0)
                standin.play()
            for event in item[1]:
                if isinstance(event, Trades) and event.id is not None:
                    played.extend(event.id.tolist())
            if played and played[-1] == 300:
                source.stop()
            return item

        flow = Dataflow("test")
        op.output(
            "out", op.map("watch", op.input("exchange", flow, source), watch), TestingSink(out)
        )
        run(flow)
        [exchange] = running
        exchange.stop()
    assert played[1:] == [*range(1, 301)]
    assert {market for market, _ in out} == {"binance:BTC/USDT"}
    assert exchange.counts["binance:BTC/USDT"].trades == 300
