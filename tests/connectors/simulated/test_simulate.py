"""The simulator: the same ticks from the same seed, and a market that a quant believes."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from connectors.recordings.replay import Replay
from connectors.simulated.simulate import START, simulate
from schemas import DAY, MINUTE, SECOND, Book, Event, Heartbeat, Trades
from tests.connectors.recording_rig import play

BTC, ETH = "sim:BTC/USDT", "sim:ETH/USDT"
Series = NDArray[np.float64]


def write(path: Path, *args: object, **options: object) -> pa.Table:
    simulate(path, *args, **options)  # type: ignore[arg-type]
    return pq.read_table(path)


def ticks(table: pa.Table, market: str) -> pa.Table:
    """Return the trades of one market."""
    of_market = pc.equal(table["symbol"].cast(pa.string()), market)
    trades = pc.is_valid(table["price"])
    columns = ["ts_ns", "price", "size", "side", "trade_id"]
    return table.filter(pc.and_(of_market, trades)).select(columns)


def checksum(table: pa.Table) -> str:
    crc = 0
    for column in table.columns:
        crc = zlib.crc32(column.to_numpy().tobytes(), crc)
    return f"{len(table)}:{crc:08x}"


def test_the_same_seed_gives_the_same_ticks_on_every_machine(tmp_path: Path) -> None:
    table = write(tmp_path / "a.parquet", [BTC, "XYZ"], 2, seed=7, signal=0.5)
    assert checksum(ticks(table, BTC)) == "54855:986b7533"
    assert checksum(ticks(table, "sim:XYZ")) == "58813:36aa72ce"
    events = "\n".join(event for event in table["event"].to_pylist() if event)
    assert f"{zlib.crc32(events.encode()):08x}" == "582585ff"


def test_a_market_does_not_depend_on_others_on_the_length_or_on_its_books(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    alone = ticks(write(path, [ETH], 1, 3, book_every=None, heartbeat_every=None), ETH)
    among = ticks(write(path, ["BTC/USDT", ETH], 2.3, 3, uncompressed=True), ETH)
    assert alone.equals(among.slice(0, len(alone)))
    assert among["ts_ns"][len(alone)].as_py() >= START + DAY
    texts = ticks(write(path, [ETH], 1, 3, string_ids=True), ETH)
    assert texts["trade_id"].to_pylist() == [str(n + 1) for n in range(len(alone))]
    assert not alone.equals(ticks(write(path, [ETH], 1, 4), ETH).slice(0, len(alone)))


def test_a_longer_recording_begins_with_the_shorter_one(tmp_path: Path) -> None:
    short = write(tmp_path / "a.parquet", [BTC, ETH], 0.3, 5)
    long = write(tmp_path / "a.parquet", [BTC, ETH], 0.7, 5)
    assert short.equals(long.slice(0, len(short)))
    assert short["ts_ns"].to_pylist() == sorted(short["ts_ns"].to_pylist())


def test_a_recording_replays_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    told: list[float] = []
    count = simulate(path, [BTC, ETH], 0.5, 5, progress=told.append)
    assert told[-1] == 1.0
    assert not list(tmp_path.glob("*.part"))
    source = Replay([path])
    tapes = play(lambda: source, ())
    assert set(tapes) == {BTC, ETH}
    assert source.progress.trades == count
    assert source.progress.rejects == 0


def test_trades_print_at_the_book_in_front_of_them(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    simulate(path, [BTC], 0.5, 5, book_every=1.0, heartbeat_every=10.0)
    tape = play(lambda: Replay([path], batch=1))[BTC]
    last: Event | None = None
    book: Book | None = None
    for event in tape:
        if isinstance(event, Book):
            assert book is None or event.ts > book.ts + SECOND - 20_000_000
            assert book is None or event.sequence == book.sequence + 1
            assert len(event.bids) == len(event.asks) == 5
            book = event
        elif isinstance(event, Trades) and isinstance(last, Book):
            best = last.asks[0] if event.side[0] > 0 else last.bids[0]
            assert event.price[0] == best[0]
            assert event.size[0] < best[1]
            assert 0 <= event.ts[0] - last.ts <= 20_000_000
        last = event
    assert book is not None
    times = [int(e.ts[0]) if isinstance(e, Trades) else e.ts for e in tape]
    assert times == sorted(times)
    assert max(np.diff([START, *times, START + DAY // 2])) <= 10 * SECOND
    assert any(isinstance(event, Heartbeat) for event in tape)


def test_a_fortnight_looks_like_a_market(tmp_path: Path) -> None:
    table = ticks(write(tmp_path / "a.parquet", [BTC], 14, 1, book_every=None), BTC)
    ts, price, size = (table[name].to_numpy() for name in ("ts_ns", "price", "size"))
    assert len(ts) / (14 * 1440) == pytest.approx(20, rel=0.1)
    hours = np.diff(np.log(closes(ts, price, 60 * MINUTE)))
    assert hours.std() * np.sqrt(8766) == pytest.approx(0.6, rel=0.2)
    days = np.abs(hours[: 13 * 24].reshape(13, 24)).mean(axis=1)
    assert days.max() > 1.4 * days.min()
    per_minute = np.bincount((ts - START) // MINUTE)
    assert per_minute.var() > 3 * per_minute.mean()  # bursts; a Poisson process has 1
    assert np.mean(np.diff(ts) == 0) > 0.3
    assert size.max() > 20 * np.median(size)
    assert np.allclose(price * 10, np.round(price * 10), atol=1e-6)


def closes(ts: NDArray[np.int64], price: Series, every: int) -> Series:
    grid = np.arange(START + every, ts[-1], every)
    found: Series = price[np.searchsorted(ts, grid, side="right") - 1]
    return found


def study(table: pa.Table) -> tuple[Series, Series]:
    """Return what is seen every five minutes, and whether +0.3 % came before -0.2 %."""
    ts, price = table["ts_ns"].to_numpy(), table["price"].to_numpy()
    bought = np.concatenate(([0.0], np.cumsum(table["size"].to_numpy() * table["side"].to_numpy())))
    traded = np.concatenate(([0.0], np.cumsum(table["size"].to_numpy())))
    seen, won = [], []
    for now in range(START + 30 * MINUTE, int(ts[-1]) - 30 * MINUTE, 5 * MINUTE):
        here, before, end = np.searchsorted(ts, [now, now - 10 * MINUTE, now + 30 * MINUTE])
        entry = price[here - 1]
        share = (bought[here] - bought[before]) / (traded[here] - traded[before] + 1e-9)
        seen.append((share, entry / price[before] - 1))
        path = price[here:end]
        up, down = path >= entry * 1.003, path <= entry * 0.998
        won.append(bool(up.any() and (not down.any() or up.argmax() < down.argmax())))
    return np.array(seen), np.array(won, float)


def gain(seen: Series, won: Series) -> float:
    """Return how much less a logistic regression's log loss is than the base rate's, later on."""
    half = len(won) // 2
    scaled = (seen - seen[:half].mean(0)) / seen[:half].std(0)
    inputs = np.column_stack([np.ones(len(won)), scaled])
    weights = np.zeros(inputs.shape[1])
    for _ in range(300):
        odds = 1 / (1 + np.exp(-inputs[:half] @ weights))
        weights += 0.5 * inputs[:half].T @ (won[:half] - odds) / half
    odds = 1 / (1 + np.exp(-inputs[half:] @ weights))
    base = won[:half].mean()
    return loss(np.full(half, base), won[half : 2 * half]) - loss(odds[:half], won[half : 2 * half])


def loss(odds: Series, won: Series) -> float:
    return float(-np.mean(won * np.log(odds) + (1 - won) * np.log(1 - odds)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_signal_can_be_learnt_within_a_week(tmp_path: Path, seed: int) -> None:
    table = write(tmp_path / "a.parquet", [BTC], 7, seed, signal=1.0, book_every=None)
    seen, won = study(ticks(table, BTC))
    assert 0.3 < won.mean() < 0.5
    assert gain(seen, won) > 0.02


def test_without_a_signal_nothing_tells_where_the_price_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = ticks(write(path, [BTC], 40, 1, book_every=None, heartbeat_every=None), BTC)
    seen, won = study(table)
    assert gain(seen, won) < 0.002
    ts, price = table["ts_ns"].to_numpy(), table["price"].to_numpy()
    moments = np.arange(START + 30 * MINUTE, int(ts[-1]) - 30 * MINUTE, 5 * MINUTE)
    here, there = (np.searchsorted(ts, moments + wait) - 1 for wait in (0, 20 * MINUTE))
    later = price[there] / price[here] - 1
    for column in seen.T:
        steps = slice(None, None, 4)  # so that the 20 minutes do not overlap
        fit = np.corrcoef(column[steps], later[steps])[0, 1]
        assert abs(fit) < 3 / np.sqrt(len(later[steps]))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"markets": []}, "markets none: give at least one"),
        ({"markets": ["A", "sim:A"]}, "markets sim:A, sim:A: give at least one, and each once"),
        ({"days": 0}, "days 0: above 0"),
        ({"rate": 0}, "rate 0: trades a minute are above 0"),
        ({"signal": 1.5}, r"signal 1\.5: it is from 0 to 1"),
        ({"start": 5}, "start 5: it is a whole hour after 1970"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    tmp_path: Path, options: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        simulate(tmp_path / "a.parquet", **{"markets": ["A"], "days": 1, **options})  # type: ignore[arg-type]


def test_a_failed_simulation_leaves_nothing_behind(tmp_path: Path) -> None:
    def refuse(part: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path / "a.parquet", ["A"], 1, progress=refuse)
    assert not list(tmp_path.iterdir())
