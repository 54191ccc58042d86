"""A store that is made anew is the old one or the new one, whenever that is broken off."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import orjson
import pytest

from infra.recovery import snapshots
from infra.recovery.division import Part
from infra.recovery.remake import finish, remake
from infra.recovery.snapshots import Key
from schemas.sealed import sealed

OLD, NEW = (orjson.dumps({"processes": n, "run": "a" * 32}) for n in (2, 3))
LAST = 40
"""No more steps than that can be broken off."""


def part(*markets: str) -> Part:
    key = Key("flow.trade.trade.machine", markets[0])
    return Part({key: pickle.dumps(sealed(b"state"))}, ["log/0"], set(markets))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Give a store of two processes, with events of three markets and rows that wait."""
    store = tmp_path / "store"
    for number, markets in enumerate((("A", "B"), ("C",))):
        own = store / str(number)
        (own / "snapshots").mkdir(parents=True)
        snapshots.prepare(own / "snapshots")
        for directory in ("events", "journal"):
            (own / directory).mkdir()
        for market in markets:
            (own / "events" / market).write_text(market)
        (own / "journal" / "000000000007.fills.arrow").write_text(str(number))
    (store / "run.json").write_bytes(OLD)
    (store / "starts.json").touch()
    return store


def made_anew(store: Path) -> None:
    parts = [part("A"), part("B"), part("C")]
    remake(store, NEW, parts, [store / "0", store / "1"])


def told(store: Path) -> tuple[bytes, list[str], list[str]]:
    """Return what a store says it is, its events, and the rows that wait in it."""
    events = sorted(path.relative_to(store).as_posix() for path in store.glob("*/events/*"))
    rows = sorted(path.read_text() for path in store.glob("*/journal/*"))
    return (store / "run.json").read_bytes(), events, rows


AS_IT_WAS = (OLD, ["0/events/A", "0/events/B", "1/events/C"], ["0", "1"])
AS_IT_SHALL_BE = (NEW, ["0/events/A", "1/events/B", "2/events/C"], ["0", "1"])


class Killed(BaseException):
    """As if the process were killed there."""


class Breaking:
    """Ends all that is done to files at a certain step."""

    def __init__(self, patch: pytest.MonkeyPatch, step: int) -> None:
        self.left = step
        for place, name in ((Path, "rename"), (Path, "rmdir"), (shutil, "rmtree"), (Path, "touch")):
            self._watch(patch, place, name)

    def _watch(self, patch: pytest.MonkeyPatch, place: object, name: str) -> None:
        real = getattr(place, name)

        def call(*arguments: object, **more: object) -> object:
            self.left -= 1
            if self.left < 0:
                raise Killed
            return real(*arguments, **more)

        patch.setattr(place, name, call)


def test_it_is_divided_and_nothing_is_left_behind(store: Path) -> None:
    made_anew(store)
    assert told(store) == AS_IT_SHALL_BE
    names = sorted(path.name for path in store.iterdir())
    assert names == ["0", "1", "2", "run.json", "starts.json"]
    assert (store / "2" / "parts.json").read_bytes() == b'["log/0"]'
    assert snapshots.read(store / "2" / "snapshots") == part("C").kept


def test_broken_off_at_any_step_it_is_the_old_one_or_the_new_one(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for step in range(LAST):
        here = tmp_path / str(step)
        shutil.copytree(store, here)
        with monkeypatch.context() as patch:
            Breaking(patch, step)
            try:
                made_anew(here)
            except Killed:
                pass
            else:
                break
        for again in range(LAST):  # whoever comes next may be killed at it, too
            with monkeypatch.context() as patch:
                Breaking(patch, again)
                try:
                    finish(here)
                except Killed:
                    continue
                break
        found.append(told(here))
        assert not [path for path in here.iterdir() if path.name.startswith("remade")]
        assert found[-1] in (AS_IT_WAS, AS_IT_SHALL_BE), step
    assert AS_IT_WAS in found
    assert AS_IT_SHALL_BE in found
    assert len(found) > 10
    assert found[-1] == AS_IT_SHALL_BE


def test_another_run_forgets_how_the_one_before_was_started(store: Path) -> None:
    other = orjson.dumps({"processes": 1, "run": "b" * 32})
    remake(store, other, [Part()], [store / "0", store / "1"])
    assert told(store) == (other, [], ["0", "1"])
    assert not (store / "starts.json").exists()
