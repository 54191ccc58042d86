"""A made-up market with one account in it, without an exchange around them."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from itertools import count

from tests.standin.account import Account
from tests.standin.capture import Capture, Line, RawTrade, made, trade_json
from tests.standin.market import Market
from tests.standin.orders import Kind, Order, Wanted
from tests.standin.trading import Trading

RICH = {"USDT": Decimal(10_000), "BTC": Decimal(50)}


@cache
def _capture(kind: str) -> Capture:
    return made(300, kind)


class Floor:
    """One account in one made-up market, whose lines a test plays."""

    def __init__(self, kind: str = "spot", account: Account | None = None) -> None:
        self.market = Market(_capture(kind))
        self.account = account or Account(spot=RICH)
        clock = count(1_000)
        self.trading = Trading({self.market.name: self.market}, [self.account], lambda: next(clock))
        self.names = count()
        self.engine = self.trading.engines[self.market.name]

    def play(self, lines: int) -> None:
        start = len(self.market.trades) * 2
        for line in self.market.capture.lines[start : start + lines]:
            self.line(line)

    def line(self, line: Line) -> None:
        self.trading.before(self.market, line, 0)
        self.market.play(line, 0)
        self.trading.played(self.market, line)

    def trade(self, price: str, size: str, maker: bool = True) -> None:
        """Let someone trade; as `maker`, the buyer waited, and the seller came."""
        last = RawTrade(len(self.market.trades) + 1, price, size, 1_723_161_700_000, maker)
        self.line(Line(0, "trade", trade_json(last, self.market.capture.kind, "BTCUSDT")))

    def order(
        self,
        sign: int,
        amount: str,
        price: str | None = None,
        stop: str | None = None,
        rests: bool = True,
        post_only: bool = False,
        reduce_only: bool = False,
    ) -> Order:
        kind: Kind = "stop" if stop else "limit" if price else "market"
        wanted = Wanted(
            self.market.name,
            sign,
            kind,
            Decimal(amount),
            f"id{next(self.names)}",
            None if price is None else Decimal(price),
            None if stop is None else Decimal(stop),
            rests,
            post_only,
            reduce_only,
        )
        return self.trading.place(self.account, wanted)

    def best(self, sign: int) -> list[tuple[Decimal, Decimal]]:
        """Return the first levels that who buys or sells gets."""
        side = self.market.asks if sign > 0 else self.market.bids
        return [(Decimal(price), Decimal(size)) for price, size in side.best(3)]
