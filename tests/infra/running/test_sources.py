"""One tape from every source: files, the embedded log, Kafka and history; cut, killed, followed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from connectors.history.from_log import Archivist
from connectors.log.sqlite_log import SqliteLog
from connectors.log.sqlite_writer import SqliteWriter
from connectors.recordings.recorder import Recorder
from infra.history.history import History
from infra.running.problems import ReplayError
from infra.running.replay import replay
from infra.running.sources import Files, FromHistory, FromKafka, FromLog, Origin
from infra.running.worker import Job
from infra.settings import Settings
from schemas import MINUTE, SECOND, Reject
from schemas.wire import encode
from tests.connectors.kafka_place import any_place
from tests.infra.rig import LEARNED, SMA, Arguments, Rig, recording, until, written

FLOWS = pytest.mark.parametrize("flow", [SMA, LEARNED], ids=["sma", "learned"])
A, B, C = MARKETS = ("sim:A/USD", "sim:B/USD", "sim:C/USD")
BROKEN = (b"{", b'{"type":"Heartbeat","v":9,"ts":1700000100000000000}', b"\xff")
SINCE, UNTIL = "2023-11-14T22:44:00", "2023-11-15T00:20:00+00:00"
DEADLINE = 120.0

Message = tuple[str, bytes]


def messages(place: Path) -> list[Message]:
    """Return what a log may hold: all kinds of outside events, and messages that are none."""
    lines = recording(place, MARKETS).read_bytes().splitlines()
    found = [(line.split(b'"market":"')[1].split(b'"')[0].decode(), line) for line in lines]
    for number, message in enumerate(BROKEN):
        found.insert(1_000 * (number + 1), (MARKETS[number], message))
    stamp = 1_700_000_040 * SECOND + 40 * MINUTE
    found.insert(5_000, (A, encode(Reject(A, stamp, "half a frame", '{"e":"tra'))))
    return found


@dataclass
class Kept:
    """The same messages in a log, a recording, Kafka and history."""

    log: Path
    recording: Path
    kafka: Settings
    history: Settings
    name: str
    mocked: bool
    """Whether that Kafka is but a mock, which finds no offset by time."""

    def origins(self) -> dict[str, tuple[Origin, Settings]]:
        return {
            "log": (FromLog(self.log), self.history),
            "recording": (Files((self.recording,)), self.history),
            "kafka": (FromKafka(), self.kafka),
            "history": (FromHistory(self.name), self.history),
        }


@pytest.fixture(scope="module")
def kept(history: History, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    place = tmp_path_factory.mktemp("kept")
    whole = messages(place / "wire.jsonl")
    with closing(SqliteWriter(place / "log", 3)) as writer:
        writer.write(whole)
    with closing(SqliteLog(place / "log")) as log:
        name = log.partitions()[0].rpartition("/")[0]
        with closing(Recorder(log, place / "recording", private=True, rows=4_000)) as recorder:
            while recorder.behind():
                recorder.step()
        archivist = Archivist(log, lambda: history.client("writer"), place / "archivist")
        while archivist.step():
            pass
        archivist.close()
        assert archivist.trouble is None
    with any_place() as topic, closing(topic.appender()) as appender:
        for message in whole:
            appender.append(*message)
        appender.flush()
        kafka = replace(history.settings, kafka=topic.settings)
        yield Kept(
            place / "log",
            place / "recording",
            kafka,
            history.settings,
            name,
            topic.mock is not None,
        )


def events_of(job: Job, out: Path) -> bytes:
    told = replay(job, None, out, lambda _: None)
    assert told.finished
    return out.read_bytes()


@FLOWS
def test_every_source_gives_the_same_events(kept: Kept, flow: Path, tmp_path: Path) -> None:
    found = {
        (name, batch): events_of(
            Job(flow, origin, batch=batch, history=False, settings=settings), tmp_path / "out"
        )
        for name, (origin, settings) in kept.origins().items()
        for batch in ((1, 65_536) if name == "log" else (1_000,))
    }
    assert {key: len(events) for key, events in found.items() if events != found["log", 1]} == {}
    kinds = [line.split(b'"', 4)[3] for line in found["log", 1].splitlines()]
    assert {b"Candle", b"Averages", b"Halt", b"Reject"} <= {*kinds}
    assert kinds.count(b"Reject") == len(BROKEN) + 1
    assert {b"Signal", b"Fill", b"Closed"} <= {*kinds} or flow == LEARNED


def test_a_stretch_of_time_and_some_markets_are_the_same_of_every_source(
    kept: Kept, tmp_path: Path
) -> None:
    origins = kept.origins()
    if kept.mocked:
        del origins["kafka"]
    found = {
        name: events_of(
            Job(
                SMA, origin, SINCE, UNTIL, (A, C), batch=7, history=False, settings=settings
            ),
            tmp_path / "out",
        )
        for name, (origin, settings) in origins.items()
    }  # fmt: skip
    assert {name for name, events in found.items() if events != found["log"]} == set()
    lines = found["log"].splitlines()
    markets = {line.split(b'"market":"')[1].split(b'"')[0] for line in lines}
    assert markets == {A.encode(), C.encode()}
    whole = Job(SMA, FromLog(kept.log), history=False, settings=kept.history)
    assert 0 < len(lines) < len(events_of(whole, tmp_path / "out").splitlines())


def test_processes_divide_any_source(kept: Kept, tmp_path: Path) -> None:
    rig, out = Rig(kept.history.home), tmp_path / "out"
    alone = Job(SMA, FromLog(kept.log), history=False, settings=kept.history)
    found = {events_of(alone, out)}
    line: list[Arguments] = ["replay", SMA, "--no-history", "--events", out, "--processes"]
    more: list[list[Arguments]] = [[2, "--from-log", kept.log], [3, "--from-clickhouse", kept.name]]
    for given in more:
        rig.deck(*line, *given)
        found.add(out.read_bytes())
    assert len(found) == 1


@pytest.mark.parametrize("source", ["--from-log", "--from-clickhouse"])
def test_a_run_that_is_killed_goes_on_as_if_it_had_not_been(
    kept: Kept, source: str, tmp_path: Path
) -> None:
    rig, store = Rig(kept.history.home), tmp_path / "store"
    given: Arguments = kept.log if source == "--from-log" else kept.name
    line: list[Arguments] = ["replay", SMA, source, given, "--no-history", "--batch", 4]
    rig.deck(*line, "--events", tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    again = [*line, "--recovery", store, "--events", tmp_path / "out", "--json"]
    for part in (1, 2, 3):
        with rig.started(*again) as process:
            assert until(process, lambda part=part: written(store) > part * len(whole) // 5)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert process.returncode == -signal.SIGKILL
    assert rig.deck(*again).summary["resumed"]
    assert (tmp_path / "out").read_bytes() == whole


# A log that grows ---------------------------------------------------------------------------------


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
def writer(rig: Rig) -> Iterator[SqliteWriter]:
    with closing(SqliteWriter(rig.home / "log", 3)) as writer:
        yield writer


def test_followed_it_takes_what_comes_later_and_is_at_its_end_when_it_is_stopped(
    rig: Rig, writer: SqliteWriter, tmp_path: Path
) -> None:
    whole = messages(tmp_path / "wire.jsonl")
    store, half = tmp_path / "store", len(whole) // 2
    writer.write(whole[:half])
    line: list[Arguments] = ["replay", SMA, "--from-log", "--no-history", "--json"]
    follow = [*line, "--follow", "--recovery", store, "--events", tmp_path / "out"]
    with rig.started(*follow) as process:
        assert until(process, lambda: written(store) > 100_000)
        had = _settled(store)
        for start in range(half, len(whole), 500):
            writer.write(whole[start : start + 500])
        assert until(process, lambda: written(store) > had + 100_000)
        _settled(store)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert '"finished":true' in out
    rig.deck(*line, "--events", tmp_path / "whole")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "whole").read_bytes()


def _settled(store: Path) -> int:
    """Wait until nothing more is written, and return how much it is."""
    deadline, had, since = time.monotonic() + DEADLINE, -1, time.monotonic()
    while time.monotonic() < since + 2.0:
        assert time.monotonic() < deadline
        if (now := written(store)) != had:
            had, since = now, time.monotonic()
        time.sleep(0.05)
    return had


def test_what_retention_took_from_a_run_that_was_stopped_is_told_in_a_line(
    rig: Rig, writer: SqliteWriter, tmp_path: Path
) -> None:
    whole = messages(tmp_path / "wire.jsonl")
    store = tmp_path / "store"
    writer.write(whole[:3_000])
    line: list[Arguments] = ["replay", SMA, "--from-log", "--no-history", "--recovery", store]
    rig.deck(*line)
    writer.write(whole[3_000:])
    while writer.retain(0, None):
        pass
    said = rig.deck(*line, "--follow", status=1)
    [told] = said.err.splitlines()
    assert told.startswith("error: ")
    assert "are gone, for retention took them" in told
    assert "start afresh with another --recovery directory" in told


def test_a_store_goes_on_with_its_own_log_only(
    rig: Rig, writer: SqliteWriter, tmp_path: Path
) -> None:
    whole = messages(tmp_path / "wire.jsonl")
    writer.write(whole[:100])
    line: list[Arguments] = ["replay", SMA, "--no-history", "--recovery", tmp_path / "store"]
    rig.deck(*line, "--from-log", "--until", "1h")
    with closing(SqliteWriter(tmp_path / "other")) as other:
        other.write(whole[:100])
    said = rig.deck(*line, "--from-log", tmp_path / "other", "--until", "1h", status=1)
    assert "was made with a log that has the partition " in said.err
    said = rig.deck(*line, "--from-log", status=1)
    assert "was made with --until 1h: give it the same, or start afresh" in said.err
    said = rig.deck(*line, "--data", tmp_path / "wire.jsonl", "--until", "1h", status=1)
    assert "was made with --from-log, not --data: give it --from-log, or start afresh" in said.err
    rig.deck(*line, "--from-log", "--until", "1h")


# Options ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "no source: give exactly one of --data, --from-log, --from-kafka, --from-clickhouse"),
        (("--from-log", "--from-kafka"), "--from-log and --from-kafka: give exactly one of --data"),
        (("--from-log",), "there is no log in"),
        (("--from-kafka",), "--from-kafka: set KAFKA_BOOTSTRAP to the addresses of Kafka, such as"),
        (("--data", "x", "--follow"), "--follow --data: only --from-log and --from-kafka go on"),
        (("--from-log", "--market", "a:B"), "--market and --column name what is in --data, not"),
        (("--from-log", "--since", "x"), "time 'x': write a date or time such as 2026-11-01"),
    ],
)
def test_options_that_do_not_go_together_are_told_in_a_line(
    rig: Rig, options: tuple[str, ...], told: str
) -> None:
    rig.environment["KAFKA_BOOTSTRAP"] = ""
    said = rig.deck("replay", SMA, "--no-history", *options, status=1)
    [line] = said.err.splitlines()
    assert line.startswith(f"error: {told}")


def test_how_long_ago_counts_from_the_beginning_of_the_run(tmp_path: Path) -> None:
    job = Job(SMA, FromLog(tmp_path), "2h", "90m", started=10_000 * SECOND)
    assert (job.window.since, job.window.until) == (2_800 * SECOND, 4_600 * SECOND)


def test_a_history_that_is_away_ends_the_replay_in_a_line(tmp_path: Path) -> None:
    settings = Settings(tmp_path, clickhouse_url="http://127.0.0.1:9/deck")
    job = Job(SMA, FromHistory(), history=False, settings=settings)
    with pytest.raises(ReplayError, match=r"history cannot be read \(ClickHouse at 127.0.0.1:9"):
        replay(job, None, None, lambda _: None)
