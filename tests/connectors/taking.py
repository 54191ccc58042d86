"""Markets of a stand-in exchange, taken in: what came so far, in the order of the tape."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from connectors.exchange.exchange import Exchange
from connectors.exchange.handing import ROOM
from connectors.exchange.venue import NOTHING, Asks
from connectors.feed.feed import Counts
from connectors.feed.tape import Written
from schemas import Event, Trades
from tests.standin.binance import BinanceStandIn
from tests.standin.exchange import PATIENCE, StandIn

E = TypeVar("E", bound=Event)


class Taking:
    """An exchange's clients and what they gave; `market` is a stand-in's `kind:SYMBOL`."""

    def __init__(self, standin: StandIn, source: Exchange) -> None:
        self.standin, self.source = standin, source
        self.exchange = "binance" if isinstance(standin, BinanceStandIn) else "okx"
        self.tapes: dict[str, list[Event]] = {}

    def name(self, market: str | None = None) -> str:
        return f"{self.exchange}:{self.standin.market(market).capture.unified}"

    def tape(self, market: str | None = None) -> list[Event]:
        return self.tapes.get(self.name(market), [])

    def events(self, kind: type[E], market: str | None = None) -> list[E]:
        return [event for event in self.tape(market) if isinstance(event, kind)]

    def ids(self, market: str | None = None) -> list[int]:
        found: list[int] = []
        for trades in self.events(Trades, market):
            assert trades.id is not None
            found += map(int, trades.id.tolist())
        return found

    def counts(self, market: str | None = None) -> Counts:
        return self.source.counts[self.name(market)]

    def until(self, condition: Callable[[], object], patience: float = PATIENCE) -> None:
        """Take in until a condition holds."""
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"waited {patience} s in vain: {self.source.counts}")
            self.source.wait(0.02)
            self.collect()

    def collect(self) -> None:
        for market, strip in self.source.drain():
            self.tapes.setdefault(market, []).extend(strip)

    def listening(self, market: str | None = None) -> bool:
        """Tell whether the exchange would reach us with trades and books."""
        name = self.standin.market(market).name
        return all(self.standin.listeners(f"{name}@{stream}") for stream in ("trade", "depth"))

    def play(self, trade: int, market: str | None = None) -> None:
        """Let it play up to a trade, whoever listens, and take in up to there once one does."""
        self.standin.play_until(trade=trade, market=market)
        self.until(lambda: trade in self.ids(market)[-2_000:])


@contextmanager
def taking(
    standin: StandIn,
    written: Mapping[str, Written] | None = None,
    room: int = ROOM,
    asks: Asks = NOTHING,
    played: int | None = None,
) -> Iterator[Taking]:
    """Give all markets of a stand-in, which played up to a trade before, once it reaches us."""
    exchange = "binance" if isinstance(standin, BinanceStandIn) else "okx"
    names = [f"{exchange}:{market.capture.unified}" for market in standin.markets.values()]
    with standin:
        if played is not None:
            standin.play_until(trade=played)
        with Exchange(names, {exchange: standin.url}, written, room, asks=asks) as source:
            taken = Taking(standin, source)
            taken.until(lambda: all(map(taken.listening, standin.markets)))
            yield taken
