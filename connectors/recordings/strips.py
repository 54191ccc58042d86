"""From blocks of rows to strips of each market's tape, bad rows as `Reject`s in their place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from connectors.recordings import cells
from connectors.recordings.blocks import Block
from connectors.recordings.columns import TIMES, Layout, likely_unit
from connectors.recordings.files import DataError, File
from connectors.recordings.market_ids import MarketIds, settled
from connectors.recordings.naming import Markets, Share
from connectors.recordings.trades import Table, read, unsuitable
from connectors.window import ALL, Window
from schemas import OUTSIDE, Event, Position, Reject, Time, Trades, wire

Strip: TypeAlias = list[Event]


class Aside(NamedTuple):
    """What stands between trades, and in which row of the block."""

    row: int
    event: Event


class Who(NamedTuple):
    """The market of each row of a block."""

    markets: list[str]
    codes: NDArray[np.integer] | None
    """Which of the markets; `None` when there is only one."""
    nameless: NDArray[np.bool_] | None = None
    """Rows that have no symbol though they need one."""

    def of(self, row: int) -> str:
        """Return the market of a row."""
        return self.markets[0 if self.codes is None else int(self.codes[row])]

    def named(self, row: int) -> bool:
        """Tell whether a row has a symbol."""
        return self.nameless is None or not self.nameless[row]


def times(event: Event) -> tuple[Time, Time]:
    """Return the first and last time of an event, which differ for trades only."""
    if isinstance(event, Trades):
        return int(event.ts.min()), int(event.ts.max())
    return event.ts, event.ts


class Strips:
    """Read the blocks of one file.

    Parameters
    ----------
    file, layout
        Where the rows come from.
    markets, share
        What markets are called, and which of them are wanted.
    texts
        Markets whose ids are texts; once they are, they stay so. Grows.
    window
        What is let through.

    """

    def __init__(
        self,
        file: File,
        layout: Layout,
        markets: Markets,
        share: Share,
        texts: set[str],
        window: Window = ALL,
    ) -> None:
        self.file, self.layout = file, layout
        self.markets, self.share, self.texts, self.window = markets, share, texts, window
        self._word = "row" if file.format == "parquet" else "line"

    def of(self, block: Block) -> dict[str, Strip]:
        """Return what stands on each market's tape, in the order of the file.

        Raises
        ------
        DataError
            When a whole column, or the name of a market, makes no sense.

        """
        who = self.who(block)
        aside = [*self.events(block, who), *self._broken(block)]
        table = read(self.file, self.layout, block, self._trade_rows(block, who), who.codes)
        if who.nameless is not None:
            table.mark("symbol", who.nameless)
        aside += self._rejects(block, who, table)
        table = table.good()
        table = table.among(self.window.rows(table.columns.ts))
        between: dict[str, list[Aside]] = {}
        for row, event in sorted(aside, key=lambda found: found.row):
            for part in self.window.of(event):
                between.setdefault(part.market, []).append(Aside(row, part))
        strips = {
            who.markets[code]: self._strip(
                block, who.markets[code], part, between.pop(who.markets[code], [])
            )
            for code, part in table.by_market()
            if self.window.has_market(who.markets[code])
        }
        for market, rest in between.items():
            strips[market] = self._alone(rest)
        return strips

    def check(self, block: Block) -> None:
        """See that each column can be what it should, from some of its rows.

        Raises
        ------
        DataError
            When one cannot.

        """
        for ours in TIMES:
            column = block.columns.get(ours)
            if ours not in self.layout.units and column is not None and cells.is_plain(column):
                raise unsuitable(self.file, self.layout, ours, cells.PLAIN)
        who = self.who(block)
        table = read(self.file, self.layout, block, self._trade_rows(block, who), who.codes)
        self._check_unit(table.good().columns.ts)

    def _check_unit(self, ts: NDArray[np.int64]) -> None:
        """See that times are no seconds that were taken for nanoseconds, or the like."""
        unit = self.layout.units.get("ts")
        if unit is None or not len(ts) or "event" in self.layout.names:  # recordings count ns
            return
        first, last = int(ts.min()), int(ts.max())
        if likely := likely_unit(first, last, unit):
            name = self.layout.names["ts"]
            raise DataError(
                f"{self.file.path}: column {name!r}, taken for {unit}, begins {first:,} ns after "
                f"1970; it seems to count {likely}: --column ts={name}:{likely}"
            )

    def who(self, block: Block) -> Who:
        """Return the market of each row."""
        only, column = self.markets.only(self.file), block.columns.get("symbol")
        if column is None:
            return Who([only or self.markets.unknown], None)
        names, codes = cells.symbols(column)
        if names[1:] == [None] and not column.null_count:
            return Who([self._market(names[0])], None)
        used = np.flatnonzero(np.bincount(codes, minlength=len(names)))
        found = [self._market(names[place]) for place in used.tolist()]
        nameless = codes == len(names) - 1 if only is None and names[used[-1]] is None else None
        places_of = {market: place for place, market in enumerate(dict.fromkeys(found))}
        markets = list(places_of)
        if len(markets) == 1:
            return Who(markets, None, nameless)
        places = np.zeros(len(names), np.uint16 if len(markets) < 1 << 16 else np.int64)
        places[used] = [places_of[market] for market in found]
        return Who(markets, places[codes], nameless)

    def _market(self, symbol: str | None) -> str:
        if symbol is None:
            return self.markets.only(self.file) or self.markets.unknown
        return self.markets.of(symbol, self.file)

    def _trade_rows(self, block: Block, who: Who) -> range | NDArray[np.intp]:
        """Return the rows that should be trades of our share."""
        events = block.columns.get("event")
        trades = np.ones(len(block), bool) if events is None else ~cells.written(events)
        trades[list(block.broken)] = False
        ours = np.array([self.share.has(market) for market in who.markets])
        if not ours.all():
            trades &= ours[0] if who.codes is None else ours[who.codes]
        return range(len(block)) if trades.all() else np.flatnonzero(trades)

    def events(
        self, block: Block, who: Who, among: NDArray[np.bool_] | None = None
    ) -> Iterator[Aside]:
        """Yield the events of our share that are not trades, but only of rows `among` these."""
        column = block.columns.get("event")
        if column is None or column.null_count == len(column):
            return
        written = cells.written(column)
        for row in np.flatnonzero(written if among is None else written & among).tolist():
            market = who.of(row) if "symbol" in block.columns and who.named(row) else None
            if market is None or self.share.has(market):
                event = self._event(block, row, column[row].as_py(), market)
                if self.share.has(event.market):
                    yield Aside(row, event)

    def _event(self, block: Block, row: int, message: str, market: str | None) -> Event:
        """Return the event of a row, whose market is known where the row has a symbol."""
        try:
            event = wire.read(message, Position(self.file.name, block.numbers[row]))
        except wire.Unreadable as error:
            own = market or self._market(error.market)
            return self._reject(block, own, error.ts, row, str(error), message)
        own = self._market(event.market)
        if not isinstance(event, OUTSIDE):
            why = f"a {type(event).__name__} is no outside event: a flow concludes it itself"
        elif market is not None and own != market:
            why = f"an event of {own} in a row of {market}"
        else:
            event.market = own  # born here: nobody has seen it yet
            return event
        return self._reject(block, market or own, times(event)[0], row, why, message)

    def _broken(self, block: Block) -> Iterator[Aside]:
        market = self._market(None)
        if self.share.has(market):
            for row, why in block.broken.items():
                yield Aside(row, self._reject(block, market, 0, row, why))

    def _rejects(self, block: Block, who: Who, table: Table) -> Iterator[Aside]:
        for place, why in table.faults(block, self.layout):
            row, ts = int(table.rows[place]), int(table.columns.ts[place])
            yield Aside(row, self._reject(block, who.of(row), max(ts, 0), row, why))

    def _reject(
        self, block: Block, market: str, ts: int, row: int, why: str, whole: str | None = None
    ) -> Reject:
        number = block.numbers[row]
        return Reject(
            market,
            ts,
            f"{self.file.name}, {self._word} {number}: {why}",
            block.text(row) if whole is None else whole,
            Position(self.file.name, number),
        )

    def _strip(self, block: Block, market: str, table: Table, between: list[Aside]) -> Strip:
        """Return trades of a market, and what stands between them.

        That may be trades in their wire form: what kind ids are goes on from the ones to the
        others.
        """
        strip: Strip = []
        start = first = 0
        for place, (row, event) in enumerate(between):
            if isinstance(event, Trades):
                stop = int(np.searchsorted(table.rows, row))
                strip += self._run(block, market, table.part(start, stop), between[first:place])
                strip += settled(event, self.texts)
                start, first = stop, place + 1
        rest = table.part(start, len(table.columns))
        return strip + self._run(block, market, rest, between[first:])

    def _alone(self, between: list[Aside]) -> Strip:
        """Return what stands between no trades that are in columns."""
        strip: Strip = []
        for _, event in between:
            strip += settled(event, self.texts) if isinstance(event, Trades) else (event,)
        return strip

    def _run(self, block: Block, market: str, table: Table, between: list[Aside]) -> Strip:
        """Return trades that stand in columns, and the other events between them."""
        count = len(table.columns)
        ids = MarketIds(table.columns.id, table.missing, market in self.texts)
        if ids.texts:
            self.texts.add(market)
        cuts: list[tuple[int, Event | None]] = [(edge, None) for edge in (*ids.edges, count)]
        if between:
            rows = np.arange(len(block)) if isinstance(table.rows, range) else table.rows
            edges = np.searchsorted(rows, [found.row for found in between]).tolist()
            events = (found.event for found in between)
            cuts = sorted([*zip(edges, events, strict=True), *cuts], key=lambda cut: cut[0])
        strip: Strip = []
        done = 0
        for edge, event in cuts:
            if edge > done:
                strip.append(self._trades(block, market, table, ids, done, edge))
                done = edge
            if event is not None:
                strip.append(event)
        return strip

    def _trades(
        self, block: Block, market: str, table: Table, ids: MarketIds, start: int, stop: int
    ) -> Trades:
        """Return a run of trades; its position is that of its first row."""
        whole = stop - start == len(table.columns)
        part = table.columns if whole else table.columns.take(slice(start, stop))
        part.id = ids.of(start, stop)
        part.at = Position(self.file.name, block.numbers[int(table.rows[start])])
        return Trades(market, part, 0, stop - start)
