"""What must hold however a replay is cut, divided, stopped or killed: the same answers."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from random import Random

import psutil
import pytest
from clickhouse_connect.driver.client import Client

from connectors.simulated.simulate import simulate
from infra.history.history import History
from infra.running.replay import replay
from infra.running.sources import Files
from infra.running.worker import Job
from infra.settings import Settings
from tests.infra.nursery import Started
from tests.infra.rig import LEARNED, SMA, Rig, history_of, recording, until, written

FLOWS = pytest.mark.parametrize("flow", [SMA, LEARNED], ids=["sma", "learned"])
FREE = ("--fees", 0, "--latency", 0, "--slippage", 0)
PROCESSES = pytest.mark.parametrize("processes", [1, 2])


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
def kept(history: History) -> Rig:
    """Give a rig whose history runs already."""
    return Rig(history.settings.home)


@pytest.fixture(scope="session")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recording(tmp_path_factory.mktemp("wire") / "wire.jsonl")


@pytest.fixture(scope="session")
def real(ticks: Path) -> list[Path]:
    """Give three markets, of which one is traded."""
    names = ["XRPETH_20191011", "BTCUSDT_20240808", "ETHUSDT_20240808"]
    return [ticks / f"binance_spot_{name}.parquet" for name in names]


# Cut and divided ----------------------------------------------------------------------------------


@FLOWS
@pytest.mark.parametrize("source", ["real", "wire"])
def test_events_are_the_same_for_every_batch_and_every_number_of_processes(
    rig: Rig, flow: Path, source: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    given = request.getfixturevalue(source)
    data = given if isinstance(given, list) else [given]
    found = {}
    for batch in (1, 7, 1_000, 100_000):
        events = tmp_path / f"{batch}.jsonl"
        origin = Files(tuple(data))
        job = Job(flow, origin, batch=batch, history=False, settings=Settings(rig.home))
        replay(job, None, events, lambda _: None)
        found[1, batch] = events.read_bytes()
    for processes, batch in ((2, 1_000), (3, 7)):
        events = tmp_path / f"{processes}-{batch}.jsonl"
        rig.deck(
            "replay", flow, "--data", *data, "--batch", batch, "--processes", processes,
            "--events", events, "--no-history", *FREE,
        )  # fmt: skip
        found[processes, batch] = events.read_bytes()
    assert len(set(found.values())) == 1
    kinds = {line.split(b'"', 4)[3] for line in found[1, 1].splitlines()}
    assert kinds >= {b"Candle", b"Averages"}
    assert kinds >= {b"Signal", b"Order", b"Fill", b"Opened", b"Closed"} or flow == LEARNED
    assert kinds >= {b"Prediction", b"Outcome"} or flow == SMA
    assert kinds >= {b"Halt"} or source == "real"


def test_a_simulated_recording_gives_the_same_events_however_it_is_cut_and_divided(
    rig: Rig, tmp_path: Path
) -> None:
    data = tmp_path / "sim.parquet"
    simulate(data, ["BTC/USDT", "ETH/USDT"], 3 / 24, seed=2, signal=1.0)
    found = set()
    for processes, batch in ((1, 1), (1, 1_000), (2, 1), (2, 1_000)):
        events = tmp_path / f"{processes}-{batch}.jsonl"
        rig.deck(
            "replay", LEARNED, "--data", data, "--batch", batch, "--processes", processes,
            "--events", events, "--no-history",
        )  # fmt: skip
        found.add(events.read_bytes())
    assert len(found) == 1
    for market in ("sim:BTC/USDT", "sim:ETH/USDT"):
        told = [json.loads(line) for line in found.copy().pop().splitlines()]
        kinds = {event["type"] for event in told if event["market"] == market}
        assert kinds >= {"Candle", "Averages", "Prediction", "Outcome"}


# Killed -------------------------------------------------------------------------------------------


class Undisturbed:
    """What a replay gives when nobody disturbs it."""

    def __init__(self, rig: Rig, client: Client, flow: Path, data: list[Path], out: Path) -> None:
        said = rig.deck("replay", flow, "--data", *data, "--events", out, "--json")
        self.summary = said.summary
        self.events = out.read_bytes()
        self.history = history_of(client, self.summary["run"])


@pytest.fixture(scope="session")
def undisturbed(
    history: History, reader: Client, real: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[Path, Undisturbed]:
    place, rig = tmp_path_factory.mktemp("undisturbed"), Rig(history.settings.home)
    return {
        flow: Undisturbed(rig, reader, flow, real, place / flow.stem) for flow in (SMA, LEARNED)
    }


def same(said: dict[str, object], other: dict[str, object]) -> bool:
    """Compare closing objects, but for the time they took."""
    apart = {"run", "seconds", "ticks_per_second", "resumed"}
    return {k: v for k, v in said.items() if k not in apart} == {
        k: v for k, v in other.items() if k not in apart
    }


def command(flow: Path, data: list[Path], processes: int, place: Path) -> list[str | Path | int]:
    return [
        "replay", flow, "--data", *data, "--batch", 25, "--processes", processes,
        "--recovery", place / "store", "--events", place / "out.jsonl", "--json",
    ]  # fmt: skip


def kill_at(process: Started, store: Path, bytes_: int, number: int = signal.SIGKILL) -> int:
    """Kill a run once it has kept so many bytes of events; return how many it had then."""
    assert until(process, lambda: written(store) >= bytes_), process.communicate()
    process.send_signal(number)
    process.communicate()
    return written(store)


@FLOWS
@PROCESSES
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(
    kept: Rig,
    reader: Client,
    undisturbed: dict[Path, Undisturbed],
    flow: Path,
    processes: int,
    real: list[Path],
    tmp_path: Path,
) -> None:
    wanted, random = undisturbed[flow], Random(processes)
    line, store = command(flow, real, processes, tmp_path), tmp_path / "store"
    whole = len(wanted.events)
    for moment in sorted(random.randrange(1, whole * 9 // 10) for _ in range(KILLS)):
        with kept.started(*line) as process:
            had = kill_at(process, store, moment)
        assert process.returncode == -signal.SIGKILL
        assert moment <= had < whole, "it was killed in the middle"
    said = kept.deck(*line)
    assert said.summary["resumed"]
    assert same(said.summary, wanted.summary)
    assert (tmp_path / "out.jsonl").read_bytes() == wanted.events
    assert history_of(reader, said.summary["run"]) == wanted.history


KILLS = int(os.environ.get("TAPEDECK_KILLS", "3"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@PROCESSES
def test_a_run_that_is_told_to_stop_drains_and_goes_on_later(
    kept: Rig,
    reader: Client,
    undisturbed: dict[Path, Undisturbed],
    number: int,
    processes: int,
    real: list[Path],
    tmp_path: Path,
) -> None:
    wanted = undisturbed[SMA]
    line = command(SMA, real, processes, tmp_path)
    with kept.started(*line) as process:
        assert until(process, lambda: written(tmp_path / "store") >= len(wanted.events) // 3)
        process.send_signal(number)
        out, err = process.communicate()
    assert process.returncode == 130, err
    assert '"finished":false' in out
    assert "stopped before the end; run it again and it goes on from here" in err
    assert not (tmp_path / "out.jsonl").exists()
    said = kept.deck(*line)
    assert same(said.summary, wanted.summary)
    assert (tmp_path / "out.jsonl").read_bytes() == wanted.events
    assert history_of(reader, said.summary["run"]) == wanted.history
    noted = reader.query(
        "SELECT status FROM runs WHERE run = {r:String}", {"r": said.summary["run"]}
    )
    assert noted.result_rows == [("finished",)]


def test_a_run_that_is_killed_while_it_gathers_its_events_gathers_them_later(
    rig: Rig, undisturbed: dict[Path, Undisturbed], real: list[Path], tmp_path: Path
) -> None:
    line = [*command(SMA, real, 1, tmp_path), "--no-history"]
    fifo = tmp_path / "out.jsonl.partial"
    os.mkfifo(fifo)
    with rig.started(*line) as process, fifo.open("rb") as reading:
        assert reading.read(1), "it is gathering"
        process.kill()
        process.communicate()
    fifo.unlink()
    assert not (tmp_path / "out.jsonl").exists()
    said = rig.deck(*line)
    assert same(said.summary, undisturbed[SMA].summary)
    assert (tmp_path / "out.jsonl").read_bytes() == undisturbed[SMA].events


# Several processes --------------------------------------------------------------------------------


def at_work(process: Started, store: Path) -> list[psutil.Process]:
    """Return the two processes that divide the markets, once the second has kept an event.

    The first may be through its share by then, so they are looked for as they start.
    """
    both: list[psutil.Process] = []

    def started() -> bool:
        both[:] = _workers(process)
        return len(both) == 2

    assert until(process, started), process.communicate()
    assert until(process, lambda: any(path.stat().st_size for path in store.glob("1/events/*")))
    return both


def _workers(process: Started) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children()
    return [child for child in children if any("spawn_main" in word for word in _words(child))]


def _words(child: psutil.Process) -> list[str]:
    """Return the command line of a process, none of one that ends while we look at it."""
    try:
        return list(child.cmdline())
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return []


def test_one_process_that_dies_ends_the_run_and_says_how_to_go_on(
    rig: Rig, undisturbed: dict[Path, Undisturbed], real: list[Path], tmp_path: Path
) -> None:
    line = [*command(LEARNED, real, 2, tmp_path), "--no-history"]
    with rig.started(*line) as process:
        both = at_work(process, tmp_path / "store")
        both[1].kill()
        _, err = process.communicate()
    assert process.returncode == 1
    assert (
        err == "error: process 1 of 2 died: run the same command again, it goes on where it was\n"
    )
    _, alive = psutil.wait_procs(both, timeout=10)
    assert not alive
    rig.deck(*line)
    assert (tmp_path / "out.jsonl").read_bytes() == undisturbed[LEARNED].events


def test_no_process_outlives_a_parent_that_is_killed(
    rig: Rig, real: list[Path], tmp_path: Path
) -> None:
    line = [*command(LEARNED, real, 2, tmp_path), "--no-history"]
    with rig.started(*line) as process:
        both = at_work(process, tmp_path / "store")
        process.kill()
        process.wait()
        _, alive = psutil.wait_procs(both, timeout=10)
    assert not alive


def test_there_may_be_more_processes_than_markets(rig: Rig, wire: Path, tmp_path: Path) -> None:
    one, five = tmp_path / "1.jsonl", tmp_path / "5.jsonl"
    line: list[str | Path | int] = ["replay", SMA, "--data", wire, "--no-history", "--json"]
    alone = rig.deck(*line, "--events", one).summary
    together = rig.deck(*line, "--events", five, "--processes", 5).summary
    assert same(alone, together)
    assert one.read_bytes() == five.read_bytes()
