"""One market of a stand-in exchange: what has happened in it so far, whatever clients were told."""

from __future__ import annotations

import re
from bisect import bisect_left
from statistics import median
from typing import NamedTuple

import orjson

from tests.standin.capture import Capture, Line, RawTrade, raw_trade
from tests.standin.side import Side

_STAMP = re.compile(rb'"([ET])":(\d+)')
_FIRST_AGGREGATE = 77_000_000
_MILLISECOND = 1_000_000


class Aggregate(NamedTuple):
    """Trades of one price, side and time: an id space of its own."""

    id: int
    first: int
    last: int
    """Indices into the capture's trades."""


class Market:
    """A capture, played up to some line."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.name = capture.name
        self.trades: list[RawTrade] = []
        """Those played; stamps as shifted by the exchange's clock."""
        self.update = capture.snapshot["lastUpdateId"]
        self.bids = Side(capture.snapshot["bids"], falling=True)
        self.asks = Side(capture.snapshot["asks"], falling=False)
        self.aggregates = _aggregates(capture.trades)
        self.ids = [trade.id for trade in capture.trades]
        self.skew = _skew(capture)
        """How far the exchange's clock is ahead of the recorder's, ns."""

    def play(self, line: Line, shift: int) -> bytes:
        """Let a line happen, its stamps moved by `shift` ms; return it as it is sent."""
        raw = line.raw
        if shift:
            raw = _STAMP.sub(lambda m: b'"%s":%d' % (m[1], int(m[2]) + shift), raw)
        if line.stream == "trade":
            self.trades.append(raw_trade(raw))
        elif line.stream == "depth":
            self._change(raw)
        return raw

    def _change(self, raw: bytes) -> None:
        told = orjson.loads(raw)
        if told["u"] > self.update:
            self.update = told["u"]
            self.bids.change(told["b"])
            self.asks.change(told["a"])

    def recent(self, limit: int, hidden: int = 0) -> list[RawTrade]:
        """Return the newest trades, but for some that REST does not know yet."""
        known = self.trades[: len(self.trades) - hidden]
        return known[-limit:]

    def behind(self, first_id: int, limit: int, hidden: int = 0) -> list[RawTrade]:
        """Return the trades from an id on."""
        start = bisect_left(self.ids, first_id)
        return self.trades[: len(self.trades) - hidden][start : start + limit]

    def played_aggregates(self, hidden: int = 0) -> list[Aggregate]:
        """Return the aggregates whose trades have all been played."""
        known = len(self.trades) - hidden
        return self.aggregates[: bisect_left(self.aggregates, known, key=lambda a: a.last)]


def _aggregates(trades: list[RawTrade]) -> list[Aggregate]:
    found: list[Aggregate] = []
    for index, trade in enumerate(trades):
        alike = trade[1], trade[3], trade[4]
        before = trades[found[-1].last] if found else None
        if before is not None and (before[1], before[3], before[4]) == alike:
            found[-1] = found[-1]._replace(last=index)
        else:
            found.append(Aggregate(_FIRST_AGGREGATE + len(found), index, index))
    return found


def _skew(capture: Capture) -> int:
    lines = [line for line in capture.lines[:2000] if line.stream == "trade"]
    lags = (orjson.loads(line.raw)["E"] * _MILLISECOND - line.received for line in lines)
    return int(median([*lags] or [0]))
