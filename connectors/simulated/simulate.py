"""Write recordings of simulated markets: the same seed gives the same ticks on any machine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from connectors.recordings.ahead import Ahead
from connectors.recordings.naming import is_full
from connectors.simulated.book import Said, SimulatedFeed
from connectors.simulated.market import HOUR, SimulatedMarket
from schemas import DAY, SECOND, Time
from schemas.trades import Float64, Int8, Int64

START: Time = 1_704_067_200 * SECOND
"""2024-01-01 00:00 UTC."""
GROUP = 1 << 19
"""Rows of a row group."""


def simulate(
    path: str | Path,
    markets: Sequence[str],
    days: float,
    seed: int = 0,
    rate: float = 20.0,
    signal: float = 0.0,
    book_every: float | None = 1.0,
    heartbeat_every: float | None = 10.0,
    start: Time = START,
    uncompressed: bool = False,
    string_ids: bool = False,
    progress: Callable[[float], None] | None = None,
) -> int:
    """Write a recording of some markets, in order of time, and return its number of trades.

    A market's trades depend on its name, the seed, the rate, the signal and the start, and on
    nothing else: a longer recording begins with the shorter one, and books change no trade.

    Parameters
    ----------
    path
        The Parquet file to write; it appears when it is whole.
    markets
        Names such as `sim:BTC/USDT`; without an exchange, `sim:` is put in front.
    days
        How long, a part of a day too.
    seed
        What all chance comes from.
    rate
        Trades a minute of each market, on average.
    signal
        From 0 to 1: how strongly the share of buyers and the return of the last minutes tell
        where the price drifts in the next 10 to 30. At 0 they tell nothing.
    book_every
        Seconds after which a new book comes in front of an order; `None` for no books.
    heartbeat_every
        Seconds of silence after which a heartbeat comes; `None` for none.
    start
        The beginning, a whole hour, in ns UTC.
    uncompressed
        For the fastest reading.
    string_ids
        Write trade ids as texts.
    progress
        Told now and then which part is done, from 0 to 1.

    Raises
    ------
    ValueError
        When a setting makes no sense.

    """
    names = [name if is_full(name) else f"sim:{name}" for name in markets]
    _check(names, days, rate, signal, start)
    sources = [
        MarketSource(name, code, seed, rate, signal, book_every, heartbeat_every)
        for code, name in enumerate(names)
    ]
    events = book_every is not None or heartbeat_every is not None
    table = _Table(names, events, string_ids)
    end = start + round(days * DAY)
    target = Path(path)
    unfinished = target.with_name(f"{target.name}.part")
    packing = "none" if uncompressed else "zstd"
    try:
        with pq.ParquetWriter(
            unfinished, table.schema, compression=packing, use_dictionary=["symbol"]
        ) as writer:
            for rows in _groups(Ahead(_hours(sources, start, end))):
                writer.write_table(table.of(rows), GROUP)
                if progress is not None:
                    progress((int(rows.ts[-1]) - start) / (end - start))
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    if progress is not None:
        progress(1.0)
    return sum(source.trades for source in sources)


def _check(names: Sequence[str], days: float, rate: float, signal: float, start: Time) -> None:
    if not names or len(set(names)) < len(names):
        msg = f"markets {', '.join(names) or 'none'}: give at least one, and each once"
        raise ValueError(msg)
    if not 0 < days <= 36_500:  # noqa: PLR2004 - a hundred years are enough
        msg = f"days {days}: above 0, and at most 36500"
        raise ValueError(msg)
    if not 0 < rate <= 1_000_000:  # noqa: PLR2004 - an hour is held in memory
        msg = f"rate {rate}: trades a minute are above 0, and at most 1000000"
        raise ValueError(msg)
    if not 0 <= signal <= 1:
        msg = f"signal {signal}: it is from 0 to 1"
        raise ValueError(msg)
    if start <= 0 or start % HOUR:
        msg = f"start {start}: it is a whole hour after 1970, in ns"
        raise ValueError(msg)


class Rows(NamedTuple):
    """Rows of a recording, as columns."""

    ts: Int64
    market: NDArray[np.int32]
    price: Float64
    size: Float64
    side: Int8
    id: Int64
    """0 where the row is no trade."""
    event: NDArray[np.object_]
    """`None` where the row is a trade."""

    def __len__(self) -> int:
        return len(self.ts)

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """Return the rows of all parts."""
        return parts[0] if len(parts) == 1 else cls(*map(np.concatenate, zip(*parts, strict=True)))

    def take(self, rows: slice | NDArray[np.intp]) -> Rows:
        """Return some of the rows."""
        return Rows(
            self.ts[rows],
            self.market[rows],
            self.price[rows],
            self.size[rows],
            self.side[rows],
            self.id[rows],
            self.event[rows],
        )


class MarketSource:
    """One market: its trades and what else its feed says."""

    def __init__(
        self,
        name: str,
        code: int,
        seed: int,
        rate: float,
        signal: float,
        book_every: float | None,
        heartbeat_every: float | None,
    ) -> None:
        self._code = code
        self._market = SimulatedMarket(name, seed, rate, signal)
        self._feed = SimulatedFeed(name, seed, self._market.grid, book_every, heartbeat_every)
        self.trades = 0

    def rows(self, start: Time, end: Time) -> Rows:
        """Return the rows of the hour from `start` on, up to `end`."""
        hour = self._market.hour(start)
        said = self._feed.of(hour, start, start + HOUR)
        count, grid = len(hour.ts), self._market.grid
        rows = Rows(
            hour.ts,
            np.full(count, self._code, np.int32),
            hour.price / float(10**grid.price_places),
            hour.size / float(10**grid.size_places),
            hour.side,
            np.arange(self.trades, self.trades + count) + 1,
            np.full(count, None, object),
        )
        rows = self._with(rows, said)
        rows = rows.take(slice(0, int(np.searchsorted(rows.ts, end))))
        self.trades += int(np.count_nonzero(rows.id))
        return rows

    def _with(self, rows: Rows, said: Sequence[Said]) -> Rows:
        """Return the rows with what is said in front of the trades it stands in front of."""
        if not said:
            return rows
        before = [found.trade for found in said]
        messages = np.array([found.message for found in said], object)
        return Rows(
            np.insert(rows.ts, before, [found.ts for found in said]),
            np.insert(rows.market, before, self._code),
            np.insert(rows.price, before, 0.0),
            np.insert(rows.size, before, 0.0),
            np.insert(rows.side, before, 0),
            np.insert(rows.id, before, 0),
            np.insert(rows.event, before, messages),
        )


class _Table:
    """The form of the file."""

    def __init__(self, names: Sequence[str], events: bool, string_ids: bool) -> None:
        fields = {
            "ts_ns": pa.int64(),
            "symbol": pa.dictionary(pa.int32(), pa.string()),
            "price": pa.float64(),
            "size": pa.float64(),
            "side": pa.int8(),
            "trade_id": pa.string() if string_ids else pa.int64(),
        }
        self.schema = pa.schema({**fields, "event": pa.string()} if events else fields)
        self._symbols = pa.array(names, pa.string())

    def of(self, rows: Rows) -> pa.Table:
        """Return rows as a table; where one is no trade, the columns of trades are null."""
        other = rows.id == 0
        mask = other if other.any() else None
        ids = pa.array(rows.id, mask=mask)
        columns = [
            pa.array(rows.ts),
            pa.DictionaryArray.from_arrays(rows.market, self._symbols),
            pa.array(rows.price, mask=mask),
            pa.array(rows.size, mask=mask),
            pa.array(rows.side, mask=mask),
            ids.cast(self.schema.field("trade_id").type),
        ]
        if "event" in self.schema.names:
            columns.append(pa.array(rows.event, pa.string()))
        return pa.table(columns, self.schema)


def _hours(sources: Sequence[MarketSource], start: Time, end: Time) -> Generator[Rows, None, None]:
    """Yield the rows of all markets hour by hour, in order of time."""
    for now in range(start, end, HOUR):
        rows = Rows.joined([source.rows(now, end) for source in sources])
        yield rows if len(sources) == 1 else rows.take(np.argsort(rows.ts, kind="stable"))


def _groups(hours: Iterable[Rows]) -> Iterator[Rows]:
    """Yield the same rows, `GROUP` rows at a time."""
    waiting: list[Rows] = []
    count = 0
    for rows in hours:
        waiting.append(rows)
        count += len(rows)
        while count >= GROUP:
            whole = Rows.joined(waiting)
            yield whole.take(slice(0, GROUP))
            waiting, count = [whole.take(slice(GROUP, None))], count - GROUP
    if count:
        yield Rows.joined(waiting)
