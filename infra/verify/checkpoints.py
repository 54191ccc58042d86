"""Kept checkpoints of a run: its snapshots at one moment, and with what code it went on.

    checkpoints/20261123T063000.120Z/    run.json, checkpoint.json, N/part-0.sqlite3
    checkpoints/flows/HASH/NAME.py       each version of the flow file that ran

It is light, for the parent of each deployment takes them, while the flow goes on.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import orjson

from connectors.disk import kept, sync
from infra.databases import copy_database
from infra.lock import Busy, Lock
from infra.recovery.layout import RUN, SHELF, SNAPSHOTS, STARTS

STATES = "part-0.sqlite3"
"""The file with the snapshots of a process, there and here."""
VERIFY, CODE = "verify", "code"
"""What those are for that somebody asked for, and those behind which other code went on."""
_SAYS, _FLOWS, _LOCK = "checkpoint.json", "flows", "lock"
# As the engine has it: what is newer than the frontier of the last execution was not finished.
_HELD = """
    SELECT count() FROM snaps WHERE snap_epoch < (
        SELECT coalesce((SELECT min(worker_frontier) FROM fronts WHERE fronts.ex_num = exs.ex_num),
            resume_epoch) FROM exs ORDER BY ex_num DESC LIMIT 1
    )
"""
_FORGOTTEN_SECONDS = 3_600.0
"""After that whoever was making a checkpoint has died: others may make one at the same time."""


@dataclass(frozen=True)
class Checkpoint:
    """What a run had kept at one moment.

    Parameters
    ----------
    directory
        Where it is.
    at
        When it was taken, our clock's time in nanoseconds.
    run, flow
        The run's id, and the name of its flow.
    flow_hash, tapedeck
        The code that it went on with: a hash of the flow file, and our version.
    why
        What it was taken for: `regular`, `code`, `verify`.

    """

    at: int
    run: str
    flow: str
    flow_hash: str
    tapedeck: str
    why: str
    directory: Path = field(default=Path(), compare=False)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.directory.name

    @property
    def code(self) -> tuple[str, str]:
        """What its conclusions depend on from then on, but for the tape."""
        return self.flow_hash, self.tapedeck

    @property
    def identity(self) -> dict[str, Any]:
        """What the store said of its run."""
        said: dict[str, Any] = orjson.loads((self.directory / RUN).read_bytes())
        return said


class Checkpoints:
    """The checkpoints of one store.

    Parameters
    ----------
    store
        The recovery store of a run.

    """

    def __init__(self, store: Path) -> None:
        self.store = store
        self.directory = beside(store, "checkpoints")

    def kept(self) -> list[Checkpoint]:
        """Return those of the run that has the store now, the oldest first."""
        run = _read(self.store / RUN).get("run")
        return [one for one in self.all() if one.run == run]

    def all(self) -> Iterator[Checkpoint]:
        """Yield all that are whole, the oldest first."""
        for path in sorted(self.directory.glob(f"*/{_SAYS}")):
            with suppress(OSError, ValueError, TypeError, KeyError):  # it goes, or is half a copy
                found = Checkpoint(**orjson.loads(path.read_bytes()))
                found = replace(found, directory=path.parent)
                numbers = range(found.identity["processes"])
                if all((path.parent / str(number) / STATES).exists() for number in numbers):
                    yield found

    def take(self, why: str, code: tuple[str, str] | None = None) -> Checkpoint | None:
        """Copy what a run has kept by now; None if that is nothing, or not of one moment.

        Parameters
        ----------
        why
            What it is for.
        code
            With what code it goes on; None if with that which it runs with.

        Raises
        ------
        DiskError
            When it cannot be kept.

        """
        before, now = _read(self.store / RUN), time.time_ns()
        code = code or self.running()
        if not before or code is None:
            return None
        numbers = range(before["processes"])
        made = Checkpoint(now, before["run"], before["flow"], *code, why)
        place = self.directory / _name(now)
        partial = place.with_name(f"{place.name}.partial")
        with kept("a checkpoint", place):
            self._make(partial)
            link_all(self.store / SHELF, partial / SHELF)
            for number in numbers:
                (partial / str(number)).mkdir(mode=0o700)
                own = self.store / str(number) / SNAPSHOTS / STATES
                copy_database(own, partial / str(number) / STATES)
            link_all(self.store / SHELF, partial / SHELF)  # and what came meanwhile
            (partial / RUN).write_bytes(orjson.dumps(before, option=orjson.OPT_INDENT_2))
            said = {name: value for name, value in asdict(made).items() if name != "directory"}
            (partial / _SAYS).write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2))
            renewed = _read(self.store / RUN) != before
            if renewed or not all(_holds(partial / str(number) / STATES) for number in numbers):
                shutil.rmtree(partial)
                return None
            partial.rename(place)
            sync(self.directory)
        return replace(made, directory=place)

    def thin(self, most: int) -> None:
        """Remove the oldest, but for so many, and those that nobody begins at any more.

        Those are of runs that are forgotten, and what was taken to verify, but for the last. While
        somebody reads them nothing is removed.
        """
        with suppress(Busy), closing(self.held()):
            self._thin(most)

    def held(self) -> Lock:
        """Take the right to read them, and to remove any.

        Raises
        ------
        Busy
            When another has it.

        """
        with kept("checkpoints", self.directory):
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            return Lock(self.directory / _LOCK)

    def _thin(self, most: int) -> None:
        own = self.kept()
        asked = [one for one in own if one.why == VERIFY]
        names = {
            one.name for one in [*[one for one in own if one.why != VERIFY][-most:], *asked[-1:]]
        }
        for one in [*self.all()]:
            if one.name not in names:
                self.drop(one)

    def drop(self, checkpoint: Checkpoint) -> None:
        """Remove one."""
        shutil.rmtree(checkpoint.directory, ignore_errors=True)

    def running(self) -> tuple[str, str] | None:
        """Return the code that the run was started with last; None if nobody noted it."""
        path = self.store / STARTS
        if not path.exists():
            return None
        last = orjson.loads(path.read_bytes())[-1]
        return last["flow"], last["tapedeck"]

    def keep_flow(self, flow: Path, flow_hash: str) -> None:
        """Keep a version of the flow file: what ran with it is replayed with it."""
        place = self.flow(flow.stem, flow_hash)
        if place.exists():
            return
        with kept("the flow file", place):
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            partial = place.with_suffix(".partial")
            partial.write_bytes(flow.read_bytes())
            partial.replace(place)

    def flow(self, name: str, flow_hash: str) -> Path:
        """Return where a version of the flow file is, if it was kept."""
        return self.directory / _FLOWS / flow_hash / f"{name}.py"

    def _make(self, partial: Path) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self.directory.glob("*.partial"):
            with suppress(FileNotFoundError):  # it is whole now
                if left.stat().st_mtime < time.time() - _FORGOTTEN_SECONDS:
                    shutil.rmtree(left, ignore_errors=True)
        partial.mkdir(mode=0o700)


def beside(store: Path, name: str) -> Path:
    """Return a directory that belongs to a store: a deployment's stands beside it.

    Examples
    --------
    >>> beside(Path("deployments/cross/store"), "receipts").as_posix()
    'deployments/cross/receipts'
    >>> beside(Path("trading/cross-paper"), "receipts").as_posix()
    'trading/cross-paper/receipts'

    """
    return (store.parent if store.name == "store" else store) / name


def link_all(directory: Path, to: Path) -> None:
    """Let the files of a directory be in another, too; none of them ever changes."""
    if not directory.exists():
        return
    to.mkdir(mode=0o700, exist_ok=True)
    for path in directory.iterdir():
        there = to / path.name
        if path.suffix == ".partial" or there.exists():
            continue
        with suppress(FileNotFoundError):  # it was dropped meanwhile, for nobody needs it
            try:
                os.link(path, there)
            except FileNotFoundError:
                raise
            except OSError:  # not every file system can
                shutil.copyfile(path, there)


def _holds(path: Path) -> bool:
    """Tell whether there is anything that a run would go on from."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as file:
        [[count]] = file.execute(_HELD).fetchall()
    return bool(count)


def _read(path: Path) -> dict[str, Any]:
    with suppress(OSError, orjson.JSONDecodeError):
        found: dict[str, Any] = orjson.loads(path.read_bytes())
        return found
    return {}


def _name(at: int) -> str:
    """Return what a checkpoint is called: when it was taken.

    Examples
    --------
    >>> _name(1_700_000_000_123_456_789)
    '20231114T221320.123Z'

    """
    moment = datetime.fromtimestamp(at // 10**9, timezone.utc)
    return f"{moment:%Y%m%dT%H%M%S}.{at // 10**6 % 1000:03d}Z"
