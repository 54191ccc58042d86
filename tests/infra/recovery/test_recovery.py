"""A run goes on in any number of processes, with another stop, with another flow; or is refused."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from clickhouse_connect.driver.client import Client

from infra.history.history import History
from infra.recovery import adoption, layout, snapshots
from infra.recovery.store import Onward
from infra.running.problems import ReplayError
from infra.running.replay import replay
from infra.running.sources import Files
from infra.running.worker import Job
from infra.settings import Settings
from infra.trading.trading import Trading
from operators.standing import Standing
from schemas.sealed import opened
from tests.infra.rig import SMA, Rig, history_of, recording, until, written

MARKETS = tuple(f"sim:{letter}/USD" for letter in "ABC")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Give a recording of three markets, in four files."""
    place = tmp_path_factory.mktemp("data")
    lines = recording(place / "all.jsonl", MARKETS).read_bytes().splitlines(keepends=True)
    size, files = len(lines) // 4, []
    for number in range(4):
        files.append(place / f"{number}.jsonl")
        end = (number + 1) * size if number < 3 else len(lines)
        files[-1].write_bytes(b"".join(lines[number * size : end]))
    return tuple(files)


@pytest.fixture
def job(data: tuple[Path, ...], tmp_path: Path) -> Job:
    flow = tmp_path / "sma_cross.py"
    flow.write_text(SMA.read_text())
    return Job(flow, Files(data), history=False, settings=Settings(tmp_path / "home"))


@pytest.fixture(scope="module")
def whole(data: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Give the events of a run that nobody disturbed."""
    place = tmp_path_factory.mktemp("whole")
    job = Job(SMA, Files(data), history=False, settings=Settings(place / "home"))
    replay(job, None, place / "events", lambda _: None)
    return (place / "events").read_bytes()


def first(job: Job, files: int) -> Job:
    """Return the job as it was when there were only so many files."""
    assert isinstance(job.origin, Files)
    return replace(job, origin=Files(job.origin.paths[:files]))


def play(job: Job, place: Path) -> bytes:
    replay(job, place / "store", place / "events", lambda _: None)
    return (place / "events").read_bytes()


def content(place: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in place.rglob("*") if path.is_file()}


# Another number of processes ----------------------------------------------------------------------


def test_a_store_goes_on_in_one_two_three_and_one_process(
    job: Job, whole: bytes, tmp_path: Path
) -> None:
    events = b""
    for files, processes in enumerate((1, 2, 3, 1), 1):
        events = play(replace(first(job, files), processes=processes), tmp_path)
    assert events == whole
    store = tmp_path / "store"
    assert sorted(path.name for path in store.iterdir()) == ["0", "lock", "run.json"]


def test_killed_in_the_middle_history_does_not_tell_how_many_processes_there_were(
    history: History, reader: Client, data: tuple[Path, ...], whole: bytes, tmp_path: Path
) -> None:
    kept, store, out = Rig(history.settings.home), tmp_path / "store", tmp_path / "out"
    line: list[str | Path | int] = ["replay", SMA, "--data", *data, "--batch", 20, "--json"]
    undisturbed = kept.deck(*line).summary
    line += ["--recovery", store, "--events", out, "--processes"]
    for part, processes in enumerate((1, 2, 3), 1):
        with kept.started(*line, processes) as process:
            assert until(process, lambda: written(store) > part * len(whole) // 4)  # noqa: B023 - now
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
    said = kept.deck(*line, 1).summary
    assert said["resumed"]
    assert out.read_bytes() == whole
    assert history_of(reader, said["run"]) == history_of(reader, undisturbed["run"])
    assert {name: said[name] for name in ("trades", "markets")} == {
        name: undisturbed[name] for name in ("trades", "markets")
    }


# Another flow -------------------------------------------------------------------------------------


def standings(store: Path) -> dict[str, Standing]:
    """Return how each market's trading stands."""
    found = {}
    for directory in sorted(store.glob("[0-9]*")):
        for key, state in snapshots.read(directory / layout.SNAPSHOTS).items():
            if ".trade." in key.step:
                kept = opened(cast("bytes", snapshots.plain(state)))
                found[key.name] = pickle.loads(kept)[1]
    return found


def edit(job: Job, was: str, is_: str) -> None:
    text = job.flow.read_text()
    assert was in text
    job.flow.write_text(text.replace(was, is_))


def test_a_flow_of_another_shape_is_refused_and_nothing_is_touched(
    job: Job, whole: bytes, tmp_path: Path
) -> None:
    play(first(job, 2), tmp_path)
    before = content(tmp_path / "store")
    edit(job, "minutes=1)", "minutes=2)")
    with pytest.raises(ReplayError) as told:
        play(job, tmp_path)
    for choice in ("give the flow its former settings", "--adopt", "--afresh", "another --recover"):
        assert choice in str(told.value)
    assert "step 'candles' was kept with ('candles', 1, '1m') and is now" in str(told.value)
    assert content(tmp_path / "store") == before
    edit(job, "minutes=2)", "minutes=1)")
    assert play(job, tmp_path) == whole


def stopped_while_open(job: Job, place: Path) -> dict[str, Standing]:
    """Play up to where a position is open, and return how all stands then."""
    for batch in range(1, 5):
        store = place / "store"
        shutil.rmtree(store, ignore_errors=True)
        play(first(job, batch), place)
        found = standings(store)
        if any(standing.life is not None for standing in found.values()):
            return found
    raise AssertionError("nothing was open at the end of any file")


def test_a_changed_flow_takes_open_positions_over_and_counts_on(job: Job, tmp_path: Path) -> None:
    edit(job, "timeout=timedelta(minutes=30)", "timeout=timedelta(days=9)")
    edit(job, "stop_loss=0.002, take_profit=0.003", "stop_loss=0.5, take_profit=0.5")
    before = stopped_while_open(job, tmp_path)
    seqs = (tmp_path / "events").read_bytes()
    edit(job, "minutes=1)", "minutes=2)")
    adopting = replace(job, onward=Onward.ADOPT, processes=2)
    with pytest.raises(ReplayError, match="holds positions in sim:"):
        play(replace(adopting, onward=Onward.AFRESH), tmp_path)
    events = play(adopting, tmp_path)
    after = standings(tmp_path / "store")
    assert all(events.count(line + b"\n") == 1 for line in seqs.splitlines())
    for market, standing in before.items():
        assert after[market].positions >= standing.positions
        if standing.life is not None:
            life = after[market].life
            assert life is not None
            assert life.widths == standing.life.widths
            assert after[market].positions == standing.positions
    play(replace(job, processes=2), tmp_path)  # from here on it is the flow of this store


def test_what_cannot_be_taken_over_is_told(job: Job, tmp_path: Path) -> None:
    play(first(job, 1), tmp_path)
    before = content(tmp_path / "store")
    edit(job, 'return trade("trade", tape, barriers=BARRIERS)', "return tape")
    with pytest.raises(ReplayError, match="need one step `trade`, so --adopt cannot"):
        play(replace(job, onward=Onward.ADOPT), tmp_path)
    assert content(tmp_path / "store") == before


def test_a_flat_store_begins_afresh_with_another_run(
    job: Job, whole: bytes, tmp_path: Path
) -> None:
    edit(job, "> sma.sma60", "> 1e12")  # never enters
    play(first(job, 2), tmp_path)
    was = (tmp_path / "store" / "run.json").read_bytes()
    edit(job, "> 1e12", "> sma.sma60")
    assert play(replace(job, onward=Onward.AFRESH, processes=2), tmp_path) == whole
    assert (tmp_path / "store" / "run.json").read_bytes() != was


def test_a_version_that_kept_positions_in_another_form_is_not_adopted() -> None:
    was = {"f.trade.trade.machine": "('trade', 1)"}
    now = {"f.trade.trade.machine": "('trade', 2)"}
    assert "were kept as ('trade', 1) and are now ('trade', 2)" in adoption.unmovable(was, now)


# Harmed -------------------------------------------------------------------------------------------


def test_a_store_whose_log_of_changes_was_not_copied_does_not_begin_anew_in_silence(
    job: Job, tmp_path: Path
) -> None:
    play(first(job, 1), tmp_path)
    own = tmp_path / "store" / "0"
    (own / layout.BEGUN).touch()
    shutil.rmtree(own / layout.SNAPSHOTS)
    (own / layout.SNAPSHOTS).mkdir()
    snapshots.prepare(own / layout.SNAPSHOTS)
    with pytest.raises(ReplayError, match="has lost what it kept"):
        play(job, tmp_path)


def test_events_that_are_gone_are_told(job: Job, tmp_path: Path) -> None:
    play(first(job, 1), tmp_path)
    shutil.rmtree(tmp_path / "store" / "0" / "events")
    with pytest.raises(ReplayError, match="events that were kept there are gone"):
        play(job, tmp_path)


# Warm ---------------------------------------------------------------------------------------------


def test_warm_start_is_a_run_begun_at_the_same_event_with_trading_off(
    job: Job, whole: bytes, tmp_path: Path
) -> None:
    join = 1_700_000_040_000_000_000 + 5_800 * 10**9
    edit(job, "> sma.sma60", "> 0")
    on_paper = replace(job, trading=Trading(), since="2023-11-14", started=join, run="a" * 32)
    live, warm = tmp_path / "live", tmp_path / "warm"
    for place, cut in ((live, 7), (warm, 65_536)):  # a little at once as it came, and read at once
        replay(replace(on_paper, batch=cut, events=True), None, place, lambda _: None)
    assert live.read_bytes() == warm.read_bytes()
    assert b"warming up: positions are entered from" in warm.read_bytes()
    lines = [line for line in warm.read_bytes().splitlines() if b'"type":"Order"' in line]
    assert lines
    assert all(int(line.split(b'"ts":')[1].split(b",")[0]) >= join for line in lines)
    candles = [line for line in whole.splitlines() if b'"type":"Candle"' in line]
    assert [line.split(b'"ts"')[1] for line in candles] == [
        line.split(b'"ts"')[1] for line in warm.read_bytes().splitlines() if b'"Candle"' in line
    ]
