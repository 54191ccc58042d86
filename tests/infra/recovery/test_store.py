"""A store that does not fit is refused, and stays as it was."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infra.recovery.form import Form
from infra.recovery.store import Store, StoreError
from infra.running.problems import ReplayError
from infra.running.replay import replay
from infra.running.sources import Files
from infra.running.worker import Job
from infra.settings import Settings
from tests.infra.rig import SMA, recording

OPTIONS = {"--market": "", "--column": "", "--since": "", "--until": "", "--markets": ""}
FORM = Form("sma_cross", 1, events=False, history=True, source="--data", options=OPTIONS)


def with_option(name: str, value: str) -> Form:
    return replace(FORM, options={**OPTIONS, name: value})


def content(place: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_a_store_keeps_its_run(tmp_path: Path) -> None:
    first = Store(tmp_path / "store", FORM)
    first.close()
    again = Store(tmp_path / "store", FORM)
    assert (first.resumed, again.resumed) == (False, True)
    assert (again.run, again.started) == (first.run, first.started)
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700
    again.close()


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (replace(FORM, flow="other"), "belongs to the flow sma_cross, not other"),
        (replace(FORM, events=True), "was made without --events: leave it out, or start afresh"),
        (replace(FORM, history=False), "was made without --no-history: leave it out, or start"),
        (with_option("--market", "a:B"), "was made with --market of nothing: give it the same, or"),
        (with_option("--column", "ts=t"), "was made with --column of nothing: give it the same"),
        (with_option("--since", "2h"), "was made with --since of nothing: give it the same, or"),
        (replace(FORM, source="--from-log", options={}), "was made with --data, not --from-log: g"),
    ],
)
def test_another_form_is_refused(tmp_path: Path, form: Form, told: str) -> None:
    Store(tmp_path / "store", FORM).close()
    before = content(tmp_path)
    with pytest.raises(StoreError, match=re.escape(told)):
        Store(tmp_path / "store", form)
    assert content(tmp_path) == before
    Store(tmp_path / "store", FORM).close()  # and nobody holds it


def _open_up(store: Path) -> None:
    store.chmod(0o755)


def _corrupt(store: Path) -> None:
    (store / "run.json").write_text('{"flow":')


def _cut(store: Path) -> None:
    (store / "run.json").write_text('{"flow": "sma_cross"}')


def _age(store: Path) -> None:
    (store / "run.json").write_text('{"flow": "sma_cross", "format": 1, "market": null}')


def _halve(store: Path) -> None:
    shutil.rmtree(store / "0" / "snapshots")


def _empty(store: Path) -> None:
    (store / "0" / "snapshots" / "part-0.sqlite3").write_bytes(b"")


def _lose(store: Path) -> None:
    (store / "run.json").unlink()
    (store / "thesis.txt").touch()


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_open_up, "is open to others, and what is in it is run as code: chmod 700 it"),
        (_corrupt, "run.json is damaged ("),
        (_cut, "run.json is damaged ("),
        (_age, "was made by an earlier Tapedeck: go on with that, or start afresh"),
        (_halve, "part-0.sqlite3 is missing: put back the whole directory, or start afresh"),
        (_empty, "part-0.sqlite3 is missing: put back the whole directory, or start afresh"),
        (_lose, "holds thesis.txt and no run: start afresh"),
    ],
)
def test_a_store_that_was_harmed_is_refused(
    tmp_path: Path, harm: Callable[[Path], None], told: str
) -> None:
    store = tmp_path / "store"
    Store(store, FORM).close()
    harm(store)
    before = content(tmp_path)
    with pytest.raises(StoreError, match=re.escape(told)):
        Store(store, FORM)
    assert content(tmp_path) == before


def test_a_store_in_use_is_refused(tmp_path: Path) -> None:
    held = Store(tmp_path / "store", FORM)
    with pytest.raises(StoreError, match="is used by another run: wait for it, stop it, or start"):
        Store(tmp_path / "store", FORM)
    held.close()
    Store(tmp_path / "store", FORM).close()


def test_a_start_that_was_killed_half_way_is_made_good(tmp_path: Path) -> None:
    half = tmp_path / "store" / "0" / "snapshots.partial"
    half.mkdir(parents=True)
    (half / "part-0.sqlite3").touch()
    (tmp_path / "store").chmod(0o700)
    store = Store(tmp_path / "store", FORM)
    assert [path.name for path in (tmp_path / "store" / "0").iterdir()] == ["snapshots"]
    store.close()


# In a replay --------------------------------------------------------------------------------------


@pytest.fixture
def job(tmp_path: Path) -> Job:
    flow = tmp_path / "flow.py"
    flow.write_text(SMA.read_text())
    data = recording(tmp_path / "a.jsonl", ("sim:A/USD",))
    return Job(flow, Files((data,)), history=False, settings=Settings(tmp_path / "home"))


def with_data(job: Job, *more: Path) -> Job:
    return replace(job, origin=Files((*paths_of(job), *more)))


def paths_of(job: Job) -> tuple[Path, ...]:
    assert isinstance(job.origin, Files)
    return job.origin.paths


def play(job: Job, store: Path) -> None:
    replay(job, store, None, lambda _: None)


def refused(job: Job, store: Path, told: str) -> None:
    before = content(store)
    with pytest.raises(ReplayError, match=told):
        play(job, store)
    assert content(store) == before


def test_a_flow_of_another_shape_is_refused(job: Job, tmp_path: Path) -> None:
    [data] = paths_of(job)
    lines = data.read_bytes().splitlines(keepends=True)
    data.write_bytes(b"".join(lines[:2_000]))
    play(job, tmp_path / "store")
    (tmp_path / "b.jsonl").write_bytes(b"".join(lines[2_000:]))
    longer = with_data(job, tmp_path / "b.jsonl")
    job.flow.write_text(SMA.read_text().replace("minutes=1)", "minutes=2)"))
    with pytest.raises(ReplayError, match="give the flow its former settings, or take"):
        play(longer, tmp_path / "store")
    job.flow.write_text(SMA.read_text())
    play(longer, tmp_path / "store")


def test_other_data_is_refused(job: Job, tmp_path: Path) -> None:
    play(job, tmp_path / "store")
    other = recording(tmp_path / "b.jsonl", ("sim:B/USD",))
    refused(
        replace(job, origin=Files((other,))),
        tmp_path / "store",
        "was made with data that begins at a",
    )
    play(with_data(job, other), tmp_path / "store")


def test_damaged_snapshots_are_told(job: Job, tmp_path: Path) -> None:
    play(job, tmp_path / "store")
    part = tmp_path / "store" / "0" / "snapshots" / "part-0.sqlite3"
    part.write_bytes(b"no database" * 1000)
    with pytest.raises(ReplayError, match="are damaged: put back the whole"):
        play(job, tmp_path / "store")
