"""Backfills: all that is wanted, once, whatever interrupts them."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import ccxt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.exchange import backfill
from connectors.exchange.backfill import PARTITION, Backfill, Progress, late_rows
from connectors.exchange.rest_trades import First, HoleError, Traded
from connectors.history.backfill_marks import Mark
from schemas import Trades
from schemas.tables import columns

MARKET = "some:A/B"
ids = st.one_of(st.integers(0, 1 << 80).map(str), st.text(min_size=1), st.uuids().map(str))


def of(number: int) -> Traded:
    return Traded(str(number), 10 * number, 1.5, 2.0, 1)


class Rest:
    """An exchange that forgets all but the newest `keeps`, and fails at some calls."""

    name = MARKET

    def __init__(
        self, trades: list[Traded], keeps: int, failures: set[int], sums: bool = False
    ) -> None:
        self.trades, self.keeps, self.failures, self.sums = trades, keeps, failures, sums
        self.calls = 0

    def _call(self) -> None:
        self.calls += 1
        if self.calls in self.failures:
            raise ccxt.NetworkError("away")

    async def first(self, start: int) -> First:
        self._call()
        kept = self.trades[-self.keeps :]
        first = next((trade for trade in kept if trade.ts >= start), None)
        return First(first, kept == self.trades or kept[0].ts < start)

    async def behind(self, last: Traded, until: None) -> AsyncIterator[list[Traded]]:
        kept = self.trades[-self.keeps :]
        self._call()
        if last.id not in [trade.id for trade in kept]:
            raise HoleError("forgotten")
        rest = [trade for trade in kept if trade.ts > last.ts]
        for at in range(0, len(rest), 3):
            self._call()
            yield rest[at : at + 3]


class History:
    """The tables, as the statements of a backfill see them."""

    def __init__(self, logged: list[Traded]) -> None:
        self.logged, self.rows, self.marks = logged, [], {}  # type: ignore[var-annotated]

    def query(self, statement: str, parameters: dict[str, object]) -> SimpleNamespace:
        assert parameters["market"] == MARKET
        if "FROM backfills" in statement:
            return SimpleNamespace(result_rows=[tuple(mark) for mark in self.marks.values()])
        return SimpleNamespace(result_rows=[(t.id, t.ts, t.price, t.side) for t in self.logged])

    def insert_arrow(self, name: str, rows: pa.Table) -> None:
        if name == "trades":
            self.rows += rows.to_pylist()
            return
        times = [
            pa.compute.cast(rows[n], pa.int64())[0].as_py() for n in Mark._fields if n != "last_id"
        ]
        start, begin, reached, last_ts = times
        mark = Mark(start, begin, reached, rows["last_id"][0].as_py(), last_ts)
        if mark.reached >= self.marks.get(start, mark).reached:
            self.marks[start] = mark


def run(history: History, rest: Rest, start: int, end: int) -> Progress | None:
    async def all_of() -> Progress | None:
        made = Backfill(history, rest)  # type: ignore[arg-type]
        return ([None] + [progress async for progress in made.run(start, end)])[-1]

    return asyncio.run(all_of())


@given(st.lists(ids, unique=True, max_size=20))
def test_a_late_trade_has_the_same_place_each_time(names: list[str]) -> None:
    trades = [Traded(name, 7, 1.0, 1.0, 0) for name in names]
    once, twice = (late_rows(MARKET, order).to_pylist() for order in (trades, trades[::-1]))
    places = {row["id"]: (row["partition"], row["offset"], row["row"]) for row in once}
    assert places == {row["id"]: (row["partition"], row["offset"], row["row"]) for row in twice}
    assert len(set(places.values())) == len(names)
    assert all(0 <= offset < 1 << 63 for _, offset, _ in places.values())


def test_a_whole_number_is_its_own_place() -> None:
    numbers = late_rows(
        MARKET, [Traded(i, 7, 1.0, 1.0, 0) for i in ("0", "17", str((1 << 63) - 1))]
    )
    assert numbers["offset"].to_pylist() == [0, 17, (1 << 63) - 1]


def test_late_rows_fill_the_table_of_trades() -> None:
    rows = late_rows(MARKET, [of(4)])
    assert {f.name: f.type for f in rows.schema} == {
        name: form.arrow for name, form in columns(Trades).items()
    }
    (row,) = rows.to_pylist()
    assert (row["backfilled"], row["partition"]) == (True, PARTITION)
    assert (row["market"], row["price"], row["size"], row["side"]) == (MARKET, 1.5, 2.0, 1)


@given(
    numbers=st.lists(st.integers(1, 60), unique=True, min_size=1).map(sorted),
    logged=st.sets(st.integers(1, 60)),
    failures=st.sets(st.integers(1, 30), max_size=8),
    span=st.tuples(st.integers(0, 620), st.integers(1, 620)),
    rows=st.integers(1, 10),
)
def test_what_fails_half_way_is_gone_on_with_and_no_trade_is_there_twice(
    numbers: list[int],
    logged: set[int],
    failures: set[int],
    span: tuple[int, int],
    rows: int,
) -> None:
    start, end = span[0], span[0] + span[1]
    trades = [of(number) for number in numbers]
    history, rest = History([of(i) for i in logged]), Rest(trades, 1000, failures)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backfill, "_ROWS", rows)
        while True:
            try:
                done = run(history, rest, start, end)
            except ccxt.NetworkError:
                continue
            break
    wanted = [trade.id for trade in trades if start <= trade.ts < end]
    new = [name for name in wanted if int(name) not in logged]
    assert sorted({row["offset"] for row in history.rows}) == [*map(int, new)]
    assert (done is None) == (not wanted)
    if done is not None:
        assert done.begin == start
        assert done.reached == (end if trades[-1].ts >= end else int(wanted[-1]) * 10)
    calls = rest.calls
    rest.failures = set()
    run(history, rest, start, end)
    assert rest.calls - calls <= 2, "it was done, and was fetched again"


def test_a_stop_keeps_what_was_fetched() -> None:
    history, rest = History([]), Rest([of(i) for i in range(1, 20)], 1000, set())

    async def some() -> None:
        pages = Backfill(history, rest).run(0, 1000)  # type: ignore[arg-type]
        for _ in range(3):
            await anext(pages)
        await pages.aclose()

    asyncio.run(some())
    assert [row["offset"] for row in history.rows] == [1, 2, 3, 4, 5, 6, 7]
    calls = rest.calls
    assert run(history, rest, 0, 1000) == Progress(0, 190, 12, 12)
    assert rest.calls - calls == 5


def test_a_span_that_is_over_is_known_to_be_done() -> None:
    history, trades = History([]), [of(1), of(200)]
    assert run(history, Rest(trades[:1], 1000, set()), 0, 1000) == Progress(0, 10, 1, 1)
    assert run(history, Rest(trades, 1000, set()), 0, 1000) == Progress(0, 1000, 0, 0)
    rest = Rest(trades, 1000, set())
    assert run(history, rest, 0, 1000) == Progress(0, 1000, 0, 0)
    assert rest.calls == 0


def test_what_the_stream_told_as_one_is_not_added_again_in_parts() -> None:
    parts = [of(i)._replace(ts=50) for i in (5, 6, 7, 8)]
    rest = Rest([of(4), *parts, of(9)], 1000, set(), sums=True)
    history = History([parts[2]._replace(size=6.0)])
    assert run(history, rest, 0, 1000) == Progress(0, 90, 6, 3)
    assert [row["offset"] for row in history.rows] == [4, 8, 9]


def test_what_the_exchange_forgot_is_said_and_the_rest_fetched() -> None:
    rest = Rest([of(i) for i in range(1, 21)], 5, set())
    assert run(History([]), rest, 0, 1000) == Progress(160, 200, 5, 5)


def test_what_it_forgot_since_the_last_time_is_said_too() -> None:
    history, trades = History([]), [of(i) for i in range(1, 41)]
    assert run(history, Rest(trades[:20], 20, set()), 10, 1000) == Progress(10, 200, 20, 20)
    assert run(history, Rest(trades, 5, set()), 10, 1000) == Progress(360, 400, 5, 5)
    assert run(history, Rest([*trades, of(41)], 5, set()), 10, 1000) == Progress(360, 410, 1, 1)


def test_an_exchange_that_never_finds_its_own_trade_is_not_asked_for_ever() -> None:
    class Forgetful(Rest):
        async def behind(self, last: Traded, until: None) -> AsyncIterator[list[Traded]]:
            raise HoleError("what is it?")
            yield

    with pytest.raises(HoleError, match="what is it"):
        run(History([]), Forgetful([of(1), of(2)], 5, set()), 0, 1000)
