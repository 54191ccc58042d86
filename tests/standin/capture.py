"""What an exchange once sent: lines of a recorded wire, or the like made from a list of trades."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import orjson
import pyarrow.parquet as pq

Json: TypeAlias = dict[str, Any]

_NAME = re.compile(r"binance_(spot|usdm)_([a-z0-9]+)_\d+\.gz")
_HEAD = b'{"stream":"'
_QUOTES = ("USDT", "USDC", "BTC", "ETH", "EUR", "USD")
_LEVELS = 20
"""Of each side of a made-up book."""
_MILLISECOND = 1_000_000


class RawTrade(NamedTuple):
    """One trade, in the exchange's own texts."""

    id: int
    price: str
    size: str
    time: int
    """Milliseconds."""
    maker: bool
    """Whether the buyer was the maker: the seller was the aggressor."""


class Line(NamedTuple):
    """One message as it came."""

    received: int
    """The clock of who recorded it, ns."""
    stream: str
    """`trade`, `depth` or `bookTicker`."""
    raw: bytes
    """The exchange's own JSON, without an envelope."""


@dataclass
class Capture:
    """One market's messages in order of arrival, and one snapshot of its book.

    Parameters
    ----------
    kind
        `spot` or `usdm`: Binance calls markets of both by the same names.
    symbol
        As Binance writes it, such as `BTCUSDT`.
    snapshot
        What REST answered about the book: `lastUpdateId`, `bids`, `asks`.

    """

    kind: str
    symbol: str
    lines: Sequence[Line]
    snapshot: Json

    @property
    def name(self) -> str:
        """Tell spot and perpetual apart: `usdm:BTCUSDT`."""
        return f"{self.kind}:{self.symbol}"

    @property
    def quote(self) -> str:
        return next(quote for quote in _QUOTES if self.symbol.endswith(quote))

    @property
    def base(self) -> str:
        return self.symbol.removesuffix(self.quote)

    @property
    def unified(self) -> str:
        """Give ccxt's name of the market."""
        pair = f"{self.base}/{self.quote}"
        return pair if self.kind == "spot" else f"{pair}:{self.quote}"

    @cached_property
    def trades(self) -> list[RawTrade]:
        return [raw_trade(line.raw) for line in self.lines if line.stream == "trade"]

    @cached_property
    def tick(self) -> Decimal:
        """Return the smallest step of prices."""
        return smallest_step(trade.price for trade in self.trades)

    @cached_property
    def lot(self) -> Decimal:
        """Return the smallest step of sizes."""
        return smallest_step(trade.size for trade in self.trades)

    def until(self, lines: int) -> Capture:
        """Return its first messages only."""
        return Capture(self.kind, self.symbol, self.lines[:lines], self.snapshot)

    @classmethod
    def read(cls, path: Path) -> Capture:
        """Read a recorded wire: `<receive ns> <json>` a line."""
        named = _NAME.fullmatch(path.name)
        if named is None:
            raise ValueError(f"{path}: no capture of a market; its name is none of {_NAME.pattern}")
        lines: list[Line] = []
        snapshot: Json = {}
        with gzip.open(path) as file:
            for text in file:
                received, _, message = text.rstrip().partition(b" ")
                if message.startswith(_HEAD):
                    lines.append(_line(int(received), message))
                else:
                    snapshot = orjson.loads(message)
        return cls(named[1], named[2].upper(), lines, snapshot)

    @classmethod
    def of_parquet(
        cls, path: Path, kind: str, symbol: str, column_says: str | None = None
    ) -> Capture:
        """Make one from a file of ticks, of the market that its column calls so."""
        names = ("symbol", "trade_id", "price", "size", "ts_ns", "side")
        ticks = pq.read_table(path, columns=list(names)).to_pydict()
        rows = zip(*(ticks[name] for name in names), strict=True)
        return cls.of(
            (
                RawTrade(int(id_), _text(price), _text(size), ts // _MILLISECOND, side < 0)
                for name, id_, price, size, ts, side in rows
                if name == (column_says or symbol) and id_ is not None
            ),
            kind,
            symbol,
        )

    @classmethod
    def of(cls, trades: Iterable[RawTrade], kind: str = "spot", symbol: str = "BTCUSDT") -> Capture:
        """Make one from trades; behind each stands a change of a book around its price."""
        told = list(trades)
        tick = smallest_step(trade.price for trade in told)
        last, book = 1000, _book(told[0], tick)
        bids, asks = ([[p, q] for p, q in side.items()] for side in book)
        snapshot = {"lastUpdateId": last, "bids": bids, "asks": asks}
        lines = []
        for trade in told:
            before, book = book, _book(trade, tick)
            received = trade.time * _MILLISECOND
            lines.append(Line(received, "trade", trade_json(trade, kind, symbol)))
            delta = depth_json(trade.time, kind, symbol, last, last + 3, _changes(before, book))
            lines.append(Line(received, "depth", delta))
            last += 3
        return cls(kind, symbol, lines, snapshot)


@cache
def made(count: int, kind: str = "spot", symbol: str = "BTCUSDT", first: int = 1) -> Capture:
    """Return a small market: a trade each 50 ms, now up, now down. Who plays it changes nothing."""
    trades = (
        RawTrade(
            first + n, f"{100 + n % 7}.{n % 10}0", f"0.0{1 + n % 9}", _START + 50 * n, n % 3 == 0
        )
        for n in range(count)
    )
    return Capture.of(trades, kind, symbol)


_START = 1_723_161_600_000


def raw_trade(raw: bytes) -> RawTrade:
    told = orjson.loads(raw)
    return RawTrade(told["t"], told["p"], told["q"], told["T"], told["m"])


def trade_json(trade: RawTrade, kind: str, symbol: str) -> bytes:
    """Write a trade as the exchange's stream does."""
    price_size = {"p": trade.price, "q": trade.size}
    if kind == "spot":
        told = {"e": "trade", "E": trade.time, "s": symbol, "t": trade.id, **price_size}
        return orjson.dumps({**told, "T": trade.time, "m": trade.maker, "M": True})
    told = {"e": "trade", "E": trade.time, "T": trade.time, "s": symbol, "t": trade.id}
    return orjson.dumps({**told, **price_size, "X": "MARKET", "m": trade.maker})


Sides: TypeAlias = "tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]]"


def depth_json(time: int, kind: str, symbol: str, last: int, update: int, sides: Sides) -> bytes:
    """Write a change of the book as the exchange's stream does."""
    told: Json = {"e": "depthUpdate", "E": time}
    told |= {} if kind == "spot" else {"T": time}
    told |= {"s": symbol, "U": last + 1, "u": update}
    told |= {} if kind == "spot" else {"pu": last}
    return orjson.dumps({**told, "b": sides[0], "a": sides[1]})


def smallest_step(texts: Iterable[str]) -> Decimal:
    """Return the step that all of the numbers are multiples of, as far as decimals tell."""
    places = min(_exponent(text) for text in texts)
    return Decimal(1).scaleb(places)


def _exponent(text: str) -> int:
    exponent = Decimal(text).normalize().as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0


def _line(received: int, message: bytes) -> Line:
    stream, _, data = message.removeprefix(_HEAD).partition(b'","data":')
    return Line(received, stream.split(b"@")[1].decode(), data[:-1])


def _text(number: float) -> str:
    return format(Decimal(repr(number)), "f")


_Book: TypeAlias = "tuple[dict[str, str], dict[str, str]]"


def _book(trade: RawTrade, tick: Decimal) -> _Book:
    bid = Decimal(trade.price) - (0 if trade.maker else tick)
    bids = [bid - tick * level for level in range(_LEVELS) if bid > tick * level]
    asks = [bid + tick * (level + 1) for level in range(_LEVELS)]
    best = {bids[0]: trade.id, asks[0]: trade.id}
    return _side(bids, best, tick), _side(asks, best, tick)


def _side(prices: Iterable[Decimal], best: dict[Decimal, int], tick: Decimal) -> dict[str, str]:
    return {f"{p:f}": f"{1 + int(p / tick + best.get(p, 0)) % 7}.5" for p in prices}


def _changes(before: _Book, after: _Book) -> Sides:
    bids, asks = (list(_change(*sides)) for sides in zip(before, after, strict=True))
    return bids, asks


def _change(before: dict[str, str], after: dict[str, str]) -> Iterator[list[str]]:
    yield from ([price, "0.0"] for price in before if price not in after)
    yield from ([price, size] for price, size in after.items() if before.get(price) != size)
