"""History as a source: the very tape that the log gives, from the rows of its events."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.history import source as history_source
from connectors.history.source import HistorySource
from connectors.log.log import LogError
from connectors.log.messages import said
from connectors.log.source import LogSource
from connectors.window import Window
from infra.history.history import History
from infra.settings import Settings
from schemas import MINUTE, SECOND, Gap, Heartbeat, Outside, Position, Reject, Trades
from schemas.tables import Record, block, outside_block, table
from tests.connectors.log.test_again import read_some
from tests.connectors.memory_log import MemoryLog
from tests.connectors.outside import MARKETS, found_in, log_of, outside
from tests.connectors.recording_rig import play, stops

A = MARKETS[0]
START = 1_700_000_000 * SECOND
BROKEN = st.dictionaries(st.integers(0, 12), st.sampled_from([b"", b'{"type"', b"\xff"]))
few = settings(max_examples=12)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    kept = History(Settings(tmp_path_factory.mktemp("deck")))
    kept.start()
    yield kept
    kept.stop()


@pytest.fixture(scope="module")
def writer(history: History) -> Iterator[Client]:
    with history.client("writer") as client:
        yield client


@pytest.fixture(scope="module")
def source(history: History) -> Callable[..., HistorySource]:
    return partial(HistorySource, lambda: history.client("reader"))


def keep(client: Client, log: MemoryLog) -> str:
    """Put what a log holds into history, and return its name, that is like no other."""
    log.name = uuid.uuid4().hex
    events = [
        said(entry, name).event
        for name, entries in zip(log.partitions(), log.entries, strict=True)
        for entry in entries
    ]
    for _ in range(2):  # a crash may bring rows twice
        for kind in {type(event) for event in events}:
            insert(client, kind, [event for event in events if type(event) is kind])
    return log.name


def insert(client: Client, kind: type[Outside], events: list[Outside]) -> None:
    rows = pa.Table.from_batches([outside_block(kind, events)])
    client.insert_arrow(table(kind), rows)


@few
@given(outside(), BROKEN, st.sampled_from([1, 3, 1000]), st.sampled_from([1, 4, 1000]), stops())
def test_the_tape_is_that_of_the_log_to_the_last_bit(
    writer: Client,
    source: Callable[..., HistorySource],
    events: list[Outside],
    broken: dict[int, bytes],
    batch: int,
    rows: int,
    stops: set[int],
) -> None:
    log = log_of(events, broken)
    name = keep(writer, log)
    if not events:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_source, "_ROWS", rows)
        found = play(lambda: source(name, batch=batch), stops)
    assert found_in(found) == found_in(play(lambda: LogSource(log)))


@few
@given(outside(st.integers(START, START + 20)), st.integers(0, 20), st.integers(0, 20))
def test_a_stretch_of_time_is_that_of_the_log(
    writer: Client,
    source: Callable[..., HistorySource],
    events: list[Outside],
    since: int,
    until: int,
) -> None:
    log = log_of(events)
    name = keep(writer, log)
    window = Window(START + since, START + until, MARKETS[:2], private=False)
    if not any(event.market in window.markets for event in events):
        with pytest.raises(LogError, match="history keeps no"):
            source(name, window=window)
        return
    found = found_in(play(lambda: source(name, window=window)))
    assert found == found_in(play(lambda: LogSource(log, window=window)))


@few
@given(outside(), st.sampled_from([Window(), Window(since=2**61, heads=True)]), st.integers(1, 9))
def test_what_a_reader_of_the_log_has_read_is_read_again(
    writer: Client,
    source: Callable[..., HistorySource],
    events: list[Outside],
    window: Window,
    steps: int,
) -> None:
    log = log_of(events)
    name = keep(writer, log)
    read, states = read_some(log, window, 2, steps, 0)

    def again() -> HistorySource:
        made = source(name, window=window)
        made.again(states)
        return made

    if events:
        assert found_in(play(again)) == found_in(read)


def test_what_history_has_not_got_yet_is_told(
    writer: Client, source: Callable[..., HistorySource]
) -> None:
    log = log_of([Heartbeat(A, START)])
    name = keep(writer, log)
    log.put(Heartbeat(A, START))
    _, states = read_some(log, Window(), 9, 1, 0)
    with pytest.raises(LogError, match="or history has not got all of it"):
        source(name).again(states)


def test_processes_divide_the_partitions(
    writer: Client, source: Callable[..., HistorySource]
) -> None:
    log = MemoryLog(3)
    log.put(*(Heartbeat(f"okx:{number}", START) for number in range(20)))
    name = keep(writer, log)
    parts = [source(name, share=(k, 2)).list_parts() for k in range(2)]
    assert parts == [[f"{name}/0", f"{name}/2"], [f"{name}/1"]]


def test_what_is_not_of_the_log_is_no_part_of_it(
    writer: Client, source: Callable[..., HistorySource]
) -> None:
    log = log_of([Heartbeat(A, START)])
    name = keep(writer, log)
    part = next(place for place in log.partitions() if log.bounds(place).end)
    at = Position(part, 0, 7)
    gap, reject = Gap(A, START, "ids", START, START), Reject(A, START, "x", "y", at)
    for kind, event in ((Gap, gap), (Reject, reject)):
        rows = pa.Table.from_batches([block("flow", "run", kind, [Record(0, event)])])
        writer.insert_arrow(table(kind), rows)
    insert(writer, Gap, [gap])
    trades = Trades.of(A, [START], [1.0], [1.0], at=at)
    rows = pa.Table.from_batches([outside_block(Trades, [trades])])
    if "backfilled" in rows.column_names:
        place = rows.column_names.index("backfilled")
        rows = rows.set_column(place, "backfilled", pa.array([True]))
    else:
        rows = rows.append_column("backfilled", pa.array([True]))
    writer.insert_arrow("trades", rows)
    [tape] = play(lambda: source(name)).values()
    assert tape == [Heartbeat(A, START, at=Position(part, 0))]


def test_of_several_logs_one_is_to_be_named(
    writer: Client, source: Callable[..., HistorySource]
) -> None:
    names = sorted(keep(writer, log_of([Heartbeat("okx:apart", START)])) for _ in range(2))
    window = Window(markets=("okx:apart",))
    with pytest.raises(LogError, match=f"keeps 2 logs, {names[0]}, {names[1]}: .* name one: --fr"):
        source(window=window)
    assert len(play(lambda: source(names[1], window=window))["okx:apart"]) == 1
    with pytest.raises(LogError, match="history keeps no log 'x', but"):
        source("x", window=window)
    with pytest.raises(LogError, match="history keeps nothing of these markets"):
        source(window=Window(markets=("okx:none",)))


def test_a_history_that_is_away_is_told_in_a_line() -> None:
    def away() -> Client:
        raise ConnectionError("ClickHouse at h:9: Connection refused")

    with pytest.raises(LogError, match=r"cannot be read \(ClickHouse at h:9: Connection refused\)"):
        HistorySource(away)


def test_much_is_read_a_little_at_a_time_and_silence_in_long_steps(
    writer: Client, source: Callable[..., HistorySource], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = MemoryLog(1)
    for number in range(500):
        stamps = [START + number * MINUTE + row for row in range(40)]
        log.put(Trades.of(A, stamps, [7.5] * 40, [0.1] * 40, id=range(40)))
    for entry in log.entries[0][250:]:
        log.entries[0][entry.offset] = entry._replace(offset=entry.offset + 10**9)
    name = keep(writer, log)
    monkeypatch.setattr(history_source, "_ROWS", 1_000)
    asked: list[int] = []
    counts = history_source._Query.counts

    def counted(self: history_source._Query, first: int, stop: int) -> dict[type[Outside], int]:
        asked.append(sum((found := counts(self, first, stop)).values()))
        return found

    monkeypatch.setattr(history_source._Query, "counts", counted)
    whole = source(name)
    [tape] = play(lambda: whole).values()
    assert sum(map(len, tape)) == 20_000  # type: ignore[arg-type]
    part = source(name).build_part("replay", f"{name}/0", None)
    items = [part.next_batch() for _ in range(3)]
    part.close()
    assert all(0 < sum(map(len, strip)) <= 1_000 for [(_, strip)] in items)  # type: ignore[arg-type]
    assert whole.progress.read == whole.progress.total
    assert len(asked) < 200
