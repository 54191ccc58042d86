"""Replay: the same tape from every format, for every batch, and after every interruption."""

from __future__ import annotations

import gzip
from functools import partial
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.recordings.files import DataError
from connectors.recordings.replay import Replay
from schemas import Averages, Book, Event, Heartbeat, Position, Reject, Trades
from schemas.wire import encode
from tests.connectors.recording_rig import (
    FAULTS,
    SYMBOLS,
    TEXT_FAULTS,
    WRITERS,
    Fault,
    Row,
    Trade,
    play,
    positions,
    rows_of,
    sizes,
    stops,
    told,
    told_of,
    trade,
)

SAID = (
    lambda market: Heartbeat(market, 1_700_000_000_000_000_000),
    lambda market: Book(market, 1_700_000_000_000_000_001, [(99.5, 1.0)], [(100.5, 2.0)], 7),
)
NAMED = {"C": "test:C/USDT"}
MANY = [trade(n) for n in range(50_000)]


@st.composite
def recordings(draw: st.DrawFn, faults: tuple[Fault, ...] = FAULTS) -> list[Row]:
    """Build rows of some markets: trades, bad ones, and other events between them."""
    rows: list[Row] = [trade(0)]
    for number in range(1, draw(st.integers(1, 60))):
        symbol = draw(st.sampled_from(SYMBOLS))
        kind = draw(st.sampled_from(["trade"] * 6 + ["without id", "bad", "said", "derived"]))
        row = trade(number, symbol)
        if kind == "bad":
            fault = draw(st.sampled_from(faults))
            row[fault.column] = fault.value
        elif kind == "without id":
            row["trade_id"] = None
        elif kind == "said":
            market = NAMED.get(symbol, symbol)
            row = told(draw(st.sampled_from(SAID))(market), draw(st.sampled_from([None, symbol])))
        elif kind == "derived":
            row = told(Averages(NAMED.get(symbol, symbol), 5, {}), symbol)
        rows.append(row)
    return rows


def expected(rows: list[Row], name: str, first: int) -> dict[str, list[str]]:
    """Return what is on each market's tape, by reading the rows one by one."""
    tapes: dict[str, list[Event]] = {}
    for number, row in enumerate(rows, first):
        event = _expected_event(row, Position(name, number))
        tapes.setdefault(event.market, []).append(event)
    return told_of(tapes)


def _expected_event(row: Row, at: Position) -> Event:
    symbol = str(row["symbol"])
    market = NAMED.get(symbol, symbol)
    if row["event"] is not None:
        return _expected_said(row, at)
    ts, price, size, side = (row[name] for name in ("ts_ns", "price", "size", "side"))
    good = (
        isinstance(ts, int) and ts > 0
        and all(isinstance(x, float) and 0 < x < float("inf") for x in (price, size))
        and side in (-1, 0, 1)
    )  # fmt: skip
    if not good:
        return Reject(market, ts if isinstance(ts, int) else 0, "", "", at)
    ids = None if row["trade_id"] is None else [row["trade_id"]]
    return Trades.of(market, [ts], [price], [size], [side], ids)  # type: ignore[list-item,arg-type]


def _expected_said(row: Row, at: Position) -> Event:
    message = str(row["event"])
    market = next(name for name in (*NAMED.values(), *SYMBOLS) if f'"{name}"' in message)
    for said in SAID:
        event = said(market)
        if encode(event).decode() == message:
            event.at = at
            return event
    return Reject(market, 5, "", "", at)


numbers = count()


@pytest.mark.parametrize("form", WRITERS)
@settings(max_examples=60)
@given(st.data())
def test_every_row_is_on_its_tape_whatever_the_batch_the_block_and_the_interruptions(
    form: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    rows = data.draw(recordings(FAULTS if form == "parquet" else TEXT_FAULTS))
    name = f"{next(numbers)}.{form}"
    path = WRITERS[form](tmp_path_factory.getbasetemp() / name, rows)
    batches = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))
    block = data.draw(st.integers(1, 70))
    turns = count()

    def replay() -> Replay:
        batch = batches[next(turns) % len(batches)]
        return Replay([path], market=NAMED, batch=batch, block=block)

    tapes = play(replay, data.draw(stops()))
    assert told_of(tapes) == expected(rows, name, {"parquet": 0, "csv": 2, "jsonl": 1}[form])


@settings(max_examples=60)
@given(recordings(), st.integers(1, 9), st.integers(1, 70), st.integers(1, 4), stops())
def test_processes_divide_the_markets_among_them(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[Row],
    batch: int,
    block: int,
    processes: int,
    interruptions: set[int],
) -> None:
    path = tmp_path_factory.getbasetemp() / f"{next(numbers)}.parquet"
    WRITERS["parquet"](path, rows)
    parts = [
        play(partial(Replay, [path], NAMED, None, batch, (k, processes), block), interruptions)
        for k in range(processes)
    ]
    markets = [market for part in parts for market in part]
    assert len(markets) == len(set(markets))
    together = {market: tape for part in parts for market, tape in part.items()}
    assert told_of(together) == told_of(play(lambda: Replay([path], NAMED)))


def test_each_market_gets_at_most_a_batch_of_trades_at_once(tmp_path: Path) -> None:
    path = WRITERS["parquet"](tmp_path / "a.parquet", [trade(n, SYMBOLS[n % 3]) for n in range(30)])
    part = Replay([path], batch=4).build_part("replay", "a.parquet", None)
    steps = [[(name, sizes(strip)) for name, strip in part.next_batch()] for _ in range(3)]
    names = [*SYMBOLS[:2], "file:C"]
    assert steps == [[(name, [count]) for name in names] for count in (4, 4, 2)]
    with pytest.raises(StopIteration):
        part.next_batch()
    part.close()


def test_positions_are_unique_and_go_up_along_each_tape(tmp_path: Path) -> None:
    rows = [trade(n, SYMBOLS[n % 3]) for n in range(50)]
    rows[7:7] = [told(SAID[0](SYMBOLS[1])), told(SAID[1](SYMBOLS[0]))]
    rows[20]["price"] = -1.0
    path = WRITERS["parquet"](tmp_path / "a.parquet", rows)
    tapes = play(lambda: Replay([path], block=16, batch=3))
    everywhere = [at for tape in tapes.values() for at in positions(tape)]
    assert len(set(everywhere)) == len(rows)
    assert all(positions(tape) == sorted(positions(tape)) for tape in tapes.values())


def test_files_of_a_market_follow_each_other_in_time(tmp_path: Path) -> None:
    late = WRITERS["csv"](tmp_path / "a.csv", [trade(n) for n in range(30, 60)])
    early = WRITERS["parquet"](tmp_path / "b.parquet", [trade(n) for n in range(31)])
    other = WRITERS["jsonl"](tmp_path / "c.jsonl", [trade(n, "D") for n in range(60)])
    replay = Replay([late, early, other])
    assert replay.list_parts() == ["b.parquet", "c.jsonl"]
    tapes = play(lambda: Replay([late, early, other], block=7, batch=5), {2, 3, 7, 11})
    ids = [id_ for e in tapes[SYMBOLS[0]] if isinstance(e, Trades) for id_ in e.id.tolist()]  # type: ignore[union-attr]
    assert ids == [*range(31), *range(30, 60)]


def test_progress_survives_a_resume(tmp_path: Path) -> None:
    rows = [trade(n) for n in range(40)]
    rows[3]["price"] = None
    path = WRITERS["csv"](tmp_path / "a.csv", rows)
    made: list[Replay] = []

    def replay() -> Replay:
        made.append(Replay([path], batch=3, block=10))
        return made[-1]

    play(replay, range(100))
    done = made[-1].progress
    assert len(made) > 13
    assert (done.trades, done.rejects, done.rows) == (39, 1, 40)
    assert done.read == done.total == path.stat().st_size


@pytest.mark.parametrize("form", WRITERS)
def test_a_changed_file_is_not_resumed(tmp_path: Path, form: str) -> None:
    path = WRITERS[form](tmp_path / f"a.{form}", [trade(n) for n in range(40)])
    part = Replay([path], batch=3, block=10).build_part("replay", path.name, None)
    part.next_batch()
    kept = part.snapshot()
    part.close()
    WRITERS[form](path, [trade(n) for n in range(41)])
    with pytest.raises(DataError, match=rf"a\.{form}: its content has changed, so this replay"):
        Replay([path]).build_part("replay", path.name, kept)


def test_a_file_that_comes_in_front_is_refused_and_one_behind_is_played(tmp_path: Path) -> None:
    first = WRITERS["csv"](tmp_path / "1.csv", [trade(n) for n in range(30)])
    middle = WRITERS["csv"](tmp_path / "2.csv", [trade(n) for n in range(30, 60)])
    last = WRITERS["csv"](tmp_path / "3.csv", [trade(n) for n in range(60, 90)])
    part = Replay([first, last]).build_part("replay", "1.csv", None)
    part.next_batch(), part.next_batch()
    kept = part.snapshot()
    part.close()
    with pytest.raises(DataError, match=r"2\.csv: new in front of 3\.csv, so this replay cannot"):
        Replay([first, middle, last]).build_part("replay", "1.csv", kept)
    with pytest.raises(DataError, match=r"3\.csv: not given any more"):
        Replay([first]).build_part("replay", "1.csv", kept)
    part = Replay([first, middle]).build_part("replay", "1.csv", None)
    part.next_batch(), part.next_batch()
    kept = part.snapshot()
    part.close()
    part = Replay([first, middle, last]).build_part("replay", "1.csv", kept)
    assert [(name, sizes(strip)) for name, strip in part.next_batch()] == [(SYMBOLS[0], [30])]
    part.close()


def test_stop_ends_it_where_it_is(tmp_path: Path) -> None:
    path = WRITERS["csv"](tmp_path / "a.csv", [trade(n) for n in range(30)])
    source = Replay([path], batch=10)
    part = source.build_part("replay", "a.csv", None)
    part.next_batch()
    source.stop()
    with pytest.raises(StopIteration):
        part.next_batch()
    assert part.snapshot()["done"] == {SYMBOLS[0]: 10}
    part.close()


def test_a_text_that_breaks_off_is_told_behind_what_could_be_read(tmp_path: Path) -> None:
    whole = gzip.compress(WRITERS["csv"](tmp_path / "a.csv", MANY).read_bytes())
    path = tmp_path / "b.csv.gz"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    part = Replay([path], block=100).build_part("replay", "b.csv.gz", None)
    got: list[int] = []

    def read_all() -> None:
        while True:
            got.extend(count for _, strip in part.next_batch() for count in sizes(strip))

    with pytest.raises(DataError, match=r"b\.csv\.gz: broken gzip .*record or download it again"):
        read_all()
    assert sum(got) > 100
    part.close()


@pytest.mark.parametrize("wrong", [0, -1])
def test_a_batch_holds_at_least_a_trade(wrong: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"batch {wrong}: at least one"):
        Replay([tmp_path], batch=wrong)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("binance_spot_XRPETH_20191011", 12_477),
        ("binance_spot_BTCUSDT_20240808", 9_757),
        ("binance_spot_ETHUSDT_20240808", 6_106),
        ("binance_usdm_BTCUSDT_20240808", 21_313),
        ("binance_usdm_ETHUSDT_20240808", 14_076),
    ],
)
def test_recorded_ticks_are_read_row_by_row_without_any_mapping(
    ticks: Path, name: str, count: int
) -> None:
    path = ticks / f"{name}.parquet"
    tapes = play(lambda: Replay([path], batch=1000), {3})
    file = pq.read_table(path).to_pydict()
    market = f"file:{file['symbol'][0]}"
    assert list(tapes) == [market]
    read = [row for row in rows_of(tapes[market]) if isinstance(row, Trade)]
    assert len(read) == count
    for name_, column in (("ts", "ts_ns"), ("price", "price"), ("size", "size"), ("side", "side")):
        assert [getattr(row, name_) for row in read] == file[column]
    assert [str(row.id) for row in read] == file["trade_id"]


def test_two_recordings_that_call_their_markets_alike_are_kept_apart(ticks: Path) -> None:
    spot, perpetual = sorted(ticks.glob("*BTCUSDT*"))
    with pytest.raises(DataError, match="both have file:BTCUSDT from 2024-08-08 23:54:16 to"):
        Replay([spot, perpetual])
    named = {spot.name: "binance:BTC/USDT", perpetual.name: "binance:BTC/USDT:USDT"}
    tapes = play(lambda: Replay([spot, perpetual], named))
    assert {market: len(list(rows_of(tape))) for market, tape in tapes.items()} == {
        "binance:BTC/USDT": 9_757,
        "binance:BTC/USDT:USDT": 21_313,
    }
