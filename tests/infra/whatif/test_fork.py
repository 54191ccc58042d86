"""A fork is the run, but for what is set."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

import orjson
import pytest
from clickhouse_connect.driver.client import Client

from connectors.history.from_log import Archivist
from connectors.log.sqlite_log import SqliteLog
from connectors.log.sqlite_writer import SqliteWriter
from infra.history.history import History
from infra.running.problems import ReplayError
from infra.running.replay import replay
from infra.running.sources import FromHistory, FromKafka, FromLog
from infra.trading.trading import Trading
from infra.verify.which import which
from infra.whatif import machines
from infra.whatif.forking import forked
from infra.whatif.machines import RawStepError
from infra.whatif.parents import Parent, ParentError, find
from infra.whatif.sweeping import Asked, sweep
from operators import Costs
from schemas import SECOND
from tests.connectors.kafka_place import any_place
from tests.infra.rig import ROOT
from tests.infra.whatif.rig import Bench, closings, log_of

Find = Callable[..., Parent]
EDITS: list[tuple[dict[str, str], list[tuple[str, str]]]] = [
    (
        {"STOP": "0.005", "timeout": "5m", "take_profit": "none"},
        [("STOP = 0.002", "STOP = 0.005"), ("minutes=30", "minutes=5"), ("fit=0.003", "fit=None")],
    ),
    ({"fast": "3", "amount": "250.5"}, [("= 2, 5", "= 3, 5"), ("quote(1_000)", "quote(250.5)")]),
    ({"candles.every": "2m"}, [("timedelta(minutes=1)", "timedelta(minutes=2)")]),
    ({"cross": "always", "above": "0.1"}, [("rule=cross", "rule=always")]),
]


@dataclass(frozen=True)
class Known:
    """A run that is forked again and again."""

    parent: Parent
    events: list[bytes]

    @property
    def run(self) -> str:
        return self.parent.run.run


@pytest.fixture(scope="module")
def known(
    tmp_path_factory: pytest.TempPathFactory, history: History, wavy: Path, reader: Client
) -> Known:
    bench = Bench(tmp_path_factory.mktemp("known"), history, wavy)
    run, events = bench.played(bench.job())
    return Known(find(run, reader, history.settings, None), events)


@pytest.fixture
def look(bench: Bench, reader: Client) -> Find:
    return lambda name, flow=None: find(name, reader, bench.history.settings, flow)


def test_with_nothing_set_it_is_the_run_to_the_last_byte(bench: Bench, known: Known) -> None:
    assert bench.unkept(forked(known.parent, {}, "")) == known.events
    assert len(closings(known.events)) > 3


@pytest.mark.parametrize(("given", "edits"), EDITS)
def test_with_something_set_it_is_a_replay_of_the_edited_file(
    bench: Bench, known: Known, given: dict[str, str], edits: list[tuple[str, str]]
) -> None:
    other = bench.unkept(forked(known.parent, given, ""))
    assert other == bench.unkept(bench.job(bench.flow(*edits)))
    assert other != known.events


def test_costs_are_those_of_the_run_but_for_what_is_set(bench: Bench, known: Known) -> None:
    costs = Costs(fees_bps=7, slippage_bps=3, latency_ms=50)
    parent = replace(known.parent, job=replace(known.parent.job, costs=costs))
    other = bench.unkept(forked(parent, {"latency_ms": "900"}, ""))
    assert other == bench.unkept(bench.job(costs=replace(costs, latency_ms=900)))


def test_how_long_ago_is_counted_from_when_the_run_began(bench: Bench, look: Find) -> None:
    job = replace(bench.job(), started=1_700_004_540 * SECOND, since="30m")
    run, events = bench.played(job)
    assert bench.unkept(forked(look(run), {}, "")) == events
    assert orjson.loads(events[0])["ts"] > 1_700_002_740 * SECOND


def test_from_a_time_on_it_is_the_same_until_then_and_another_from_there(
    bench: Bench, known: Known
) -> None:
    changes = {"take_profit": "0.009", "latency_ms": "0"}
    other = bench.unkept(forked(known.parent, changes, "2023-11-14T22:50"))
    at = 1_700_002_200 * SECOND
    for market in (b'"sim:A/USD"', b'"sim:B/USD"'):
        ours = [line for line in known.events if market in line]
        theirs = [line for line in other if market in line]
        before = [*takewhile(lambda line: orjson.loads(line)["ts"] < at, ours)]
        assert theirs[: len(before)] == before
        assert closings(before)
        assert theirs[len(before) :] != ours[len(before) :]


def test_an_open_position_keeps_its_barriers(bench: Bench, known: Known) -> None:
    opened = next(e for e in map(orjson.loads, known.events) if e["type"] == "Opened")
    job = forked(known.parent, {"take_profit": "0.008"}, "1970-01-01")
    assert job.fork is not None
    told = map(
        orjson.loads, bench.unkept(replace(job, fork=replace(job.fork, at=opened["ts"] + 1)))
    )
    here = [e for e in told if e["type"] == "Opened" and e["market"] == opened["market"]]
    takes = [round(e["take"] / float(e["entry"]) - 1, 6) for e in here]
    assert takes[:2] == [0.003, 0.008]
    edited = bench.flow(("take_profit=0.003", "take_profit=0.008"))
    assert bench.unkept(job) == bench.unkept(bench.job(edited))


def test_other_candles_cannot_begin_at_a_time(bench: Bench, known: Known) -> None:
    job = forked(known.parent, {"candles.every": "2m"}, "2023-11-14T22:50")
    with pytest.raises(
        ReplayError, match=r"made with 1m and would be with 2m from then on.* set it from the start"
    ):
        bench.unkept(job)


def test_a_step_that_only_the_engine_takes_is_refused_where_machines_are_played(
    bench: Bench, known: Known
) -> None:
    flow = bench.flow(
        ("from datetime", "import bytewax.operators as op\nfrom datetime"),
        ("    tape = averages(", '    op.inspect("seen", tape)\n    tape = averages('),
    )
    job = replace(known.parent.job, flow=flow)
    forked(replace(known.parent, job=job), {"fast": "3"}, "")
    says = r"cross\.py: inspect 'seen' is of Bytewax itself, and {} knows machines only"
    with pytest.raises(RawStepError, match=says.format("--at")):
        forked(replace(known.parent, job=job), {"fast": "3"}, "2023-11-14T22:50")
    with pytest.raises(RawStepError, match=says.format("a sweep")):
        sweep(job, Asked([]), 1, lambda _: None)
    machines.check(replace(job, flow=ROOT / "flows/ladder/rung7_own_step.py"), "a sweep")


def test_a_fork_is_a_run_of_its_own_and_can_be_forked(
    bench: Bench, known: Known, look: Find, reader: Client
) -> None:
    first, _ = bench.played(forked(known.parent, {"fast": "3", "fees_bps": "9"}, ""))
    found = which(first, reader, bench.history.settings.home)
    assert (found.mode, found.flow, found.run != known.run) == ("fork", "cross", True)
    query = "SELECT settings FROM runs FINAL WHERE run = {run:String}"
    noted = orjson.loads(reader.query(query, {"run": first}).result_rows[0][0])
    assert (noted["parent"], noted["set"], noted["was"]) == (
        known.run, {"FAST": "3", "COSTS.fees_bps": "9"}, {"FAST": "2", "COSTS.fees_bps": "2"},
    )  # fmt: skip
    second = forked(look(first), {"stop_loss": "0.01"}, "")
    assert second.costs.fees_bps == 9
    whole = {"fast": "3", "fees_bps": "9", "stop_loss": "0.01"}
    assert bench.unkept(second) == bench.unkept(forked(known.parent, whole, ""))


def test_a_run_that_traded_a_log_is_forked_as_far_as_it_was_kept(
    bench: Bench, look: Find, tmp_path: Path
) -> None:
    home = bench.history.settings.home
    log = log_of(bench.tape, home / "log")
    job = replace(bench.job(), origin=FromLog(log), trading=Trading())
    out = tmp_path / "live.jsonl"
    done = replay(job, home / "trading" / "cross-paper", out, lambda _: None)
    live = out.read_bytes().splitlines()
    assert closings(live)
    parent = look(done.run)
    assert bench.unkept(forked(parent, {}, "")) == live
    edited = replace(job, flow=bench.flow(("SLOW = 2, 5", "SLOW = 3, 5")))
    assert bench.unkept(forked(parent, {"fast": "3"}, "")) == bench.unkept(edited)


@pytest.fixture(scope="module")
def lines(wavy: Path) -> list[bytes]:
    return wavy.read_bytes().splitlines()[:2_000]


def in_log(directory: Path, lines: list[bytes]) -> FromLog:
    with closing(SqliteWriter(directory, 2)) as writer:
        writer.write([(orjson.loads(line)["market"], line) for line in lines])
    return FromLog(directory)


def in_history(bench: Bench, log: FromLog) -> FromHistory:
    assert log.directory is not None
    with closing(SqliteLog(log.directory)) as there:
        archivist = Archivist(
            there, lambda: bench.history.client("writer"), bench.directory / "archivist"
        )
        while archivist.step():
            pass
        archivist.close()
        return FromHistory(there.partitions()[0].rpartition("/")[0])


def test_a_log_is_forked_as_far_as_it_was_read_though_it_has_grown(
    bench: Bench, look: Find, lines: list[bytes]
) -> None:
    log = in_log(bench.directory / "log", lines[:-500])
    run, events = bench.played(replace(bench.job(), origin=log))
    in_log(bench.directory / "log", lines[-500:])
    assert len(bench.unkept(replace(bench.job(), origin=log))) > len(events) > 0
    assert bench.unkept(forked(look(run), {}, "")) == events


def test_what_history_keeps_is_forked_as_far_as_it_was_read(
    bench: Bench, look: Find, lines: list[bytes]
) -> None:
    log = in_log(bench.directory / "log", lines[:-500])
    origin = in_history(bench, log)
    run, events = bench.played(replace(bench.job(), origin=origin))
    in_history(bench, in_log(bench.directory / "log", lines[-500:]))
    assert len(bench.unkept(replace(bench.job(), origin=origin))) > len(events) > 0
    assert bench.unkept(forked(look(run), {}, "")) == events


def test_kafka_is_forked_as_far_as_it_was_read(
    bench: Bench, reader: Client, lines: list[bytes]
) -> None:
    with any_place() as topic, closing(topic.appender()) as appender:

        def append(more: list[bytes]) -> None:
            for line in more:
                appender.append(orjson.loads(line)["market"], line)
            appender.flush()

        append(lines[:-500])
        settings = replace(bench.history.settings, kafka=topic.settings)
        job = replace(bench.job(), origin=FromKafka(), settings=settings)
        run, events = bench.played(job)
        append(lines[-500:])
        assert len(bench.unkept(job)) > len(events) > 0
        parent = find(run, reader, settings, None)
        assert bench.unkept(forked(parent, {}, "")) == events
        assert bench.unkept(forked(parent, {"fast": "3"}, "")) != events


def test_what_cannot_be_forked_says_why(bench: Bench, known: Known, look: Find) -> None:
    bent, _ = bench.played(forked(known.parent, {"stop_loss": "0.01"}, "2023-11-14T22:50"))
    said = f"was itself set otherwise at a time: fork the run {known.run[:8]}"
    with pytest.raises(ParentError, match=said):
        look(bent)
    edited = bench.flow(("STOP = 0.002", "STOP = 0.003"))
    assert "the flow file was" in look(known.run, edited).said
    known.parent.job.flow.unlink()
    with pytest.raises(
        ParentError, match=r"cross\.py: the flow file of the run is not there: name"
    ):
        look(known.run)
