"""A recovery store: what a run needs to go on after it was stopped or killed."""

from __future__ import annotations

import os
import platform
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path

import orjson

from connectors.disk import kept
from infra import engine
from infra.lock import Busy, Lock
from infra.problems import AFRESH
from schemas.mendable import Mendable

_FILE, _LOCK, SNAPSHOTS = "run.json", "lock", "snapshots"
_FORMAT = 3
_BROKER = "--broker"


class StoreError(Mendable, ValueError):
    """A recovery store that does not fit; its text names the choices."""


@dataclass(frozen=True)
class Form:
    """What a store is made for. A run of another form is refused."""

    flow: str
    processes: int
    events: bool
    """Whether derived events are kept for `--events`."""
    history: bool
    source: str
    """The option that says where its tape is read."""
    options: dict[str, str]
    """What else decides which tape it is."""


@dataclass(frozen=True)
class _Identity(Form):
    format: int
    run: str
    started: int
    python: str
    bytewax: str
    river: str


class Store:
    """A directory with the snapshots of each process, and what they belong to.

    It holds pickles, that is code: only its owner may read or write it.

    Parameters
    ----------
    directory
        Where it is, or will be made.
    form
        What the run that uses it is like.

    Raises
    ------
    StoreError
        When it belongs to another flow or form of run, is used by another run, is damaged, or is
        open to other users of this machine.
    DiskError
        When it cannot be kept there.

    """

    def __init__(self, directory: Path, form: Form) -> None:
        self.directory = directory
        with kept("snapshots", directory):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._check_owner()
            self._lock = self._locked()
            try:
                self._open(form)
            except BaseException:
                self.close()
                raise

    def _open(self, form: Form) -> None:
        wanted = _Identity(
            **vars(form), format=_FORMAT, run=uuid.uuid4().hex, started=time.time_ns(),
            python=".".join(platform.python_version_tuple()[:2]),
            bytewax=version("bytewax"), river=version("river"),
        )  # fmt: skip
        self.resumed = (self.directory / _FILE).exists()
        if self.resumed:
            kept_one = self._read(wanted)
            self._check_whole(kept_one.processes)
        else:
            kept_one = wanted
            self._begin(wanted)
        self.run, self.started = kept_one.run, kept_one.started

    def close(self) -> None:
        """Let others use it."""
        self._lock.close()

    def _begin(self, identity: _Identity) -> None:
        self._check_empty()
        for number in range(identity.processes):
            snapshots = self.directory / str(number) / SNAPSHOTS
            partial = snapshots.with_name(f"{SNAPSHOTS}.partial")
            for old in (snapshots, partial):  # of a start that was killed: nothing ran yet
                if old.exists():
                    for file in old.iterdir():
                        file.unlink()
                    old.rmdir()
            partial.mkdir(parents=True, mode=0o700)
            engine.prepare(partial)
            partial.rename(snapshots)
        written = self.directory / f"{_FILE}.partial"
        written.write_bytes(orjson.dumps(asdict(identity), option=orjson.OPT_INDENT_2))
        written.rename(self.directory / _FILE)

    def _read(self, wanted: _Identity) -> _Identity:
        path = self.directory / _FILE
        try:
            found = orjson.loads(path.read_bytes())
            if found["format"] < _FORMAT:
                raise StoreError(
                    f"{self.directory} was made by an earlier Tapedeck: go on with that, or "
                    f"{AFRESH}"
                )
            there = _Identity(**found)
        except (orjson.JSONDecodeError, TypeError, KeyError) as error:
            raise StoreError(f"{path} is damaged ({error}): {AFRESH}") from error
        for field in fields(_Identity):
            was, is_ = getattr(there, field.name), getattr(wanted, field.name)
            if field.name not in ("run", "started") and was != is_:
                raise StoreError(f"{self.directory} {_differs(field.name, was, is_)}, or {AFRESH}")
        return there

    def _check_whole(self, processes: int) -> None:
        """See that every process has its snapshots."""
        for number in range(processes):
            part = self.directory / str(number) / SNAPSHOTS / "part-0.sqlite3"
            if not part.exists() or not part.stat().st_size:
                raise StoreError(f"{part} is missing: put back the whole directory, or {AFRESH}")

    def _check_empty(self) -> None:
        """See that nobody else's files are in it."""
        for path in self.directory.iterdir():
            if path.name not in (_LOCK, f"{_FILE}.partial") and not path.name.isdigit():
                raise StoreError(
                    f"{self.directory} holds {path.name} and no run: {AFRESH}, an empty one"
                )

    def _check_owner(self) -> None:
        status = self.directory.stat()
        if status.st_uid == os.getuid() and not any(self.directory.iterdir()):
            self.directory.chmod(0o700)
        elif status.st_uid != os.getuid() or status.st_mode & 0o077:
            raise StoreError(
                f"{self.directory} is open to others, and what is in it is run as code: "
                f"chmod 700 it, if you trust what is there, or {AFRESH}"
            )

    def _locked(self) -> Lock:
        with suppress(Busy):
            return Lock(self.directory / _LOCK)
        raise StoreError(
            f"{self.directory} is used by another run: wait for it, stop it, or {AFRESH}"
        )


def check_parts(directory: Path, parts: list[str], told: Callable[[list[str]], str]) -> None:
    """See that the parts a process was reading are still there, and note the new ones.

    Parameters
    ----------
    directory
        The process's own.
    parts
        What there is now.
    told
        Says of parts that they are gone.

    Raises
    ------
    StoreError
        When one is not.

    """
    path = directory / "parts.json"
    known = orjson.loads(path.read_bytes()) if path.exists() else []
    if gone := [name for name in known if name not in parts]:
        raise StoreError(f"{directory.parent} {told(gone)}, or {AFRESH}")
    with kept("snapshots", directory):
        partial = path.with_suffix(".partial")
        partial.write_bytes(orjson.dumps(parts))
        partial.replace(path)


def _differs(name: str, was: object, is_: object) -> str:
    """Say what differs, and how to have it again."""
    if name in ("events", "history"):
        option = "--events" if name == "events" else "--no-history"
        with_it = bool(was) == (name == "events")
        made = f"was made with{'' if with_it else 'out'} {option}"
        return f"{made}: {'give it' if with_it else 'leave it out'}"
    if name == "options" and isinstance(was, dict) and isinstance(is_, dict):
        return _differing_option(was, is_)
    if name == "processes":
        return f"was made with {was} processes: give it --processes {was}"
    if name == "flow":
        return f"belongs to the flow {was}, not {is_}: run {was}"
    if name == "source":
        return f"was made with {was}, not {is_}: give it {was}"
    return f"was made with {name} {was}, and this is {is_}: use {name} {was}"


def _differing_option(was: Mapping[str, str], is_: Mapping[str, str]) -> str:
    """Say which option was another one; a run that trades, and a replay, are not each other."""
    option = next(option for option in {**was, **is_} if was.get(option) != is_.get(option))
    if (_BROKER in was) != (_BROKER in is_):
        made = f"deck trade --broker {was[_BROKER]}" if _BROKER in was else "deck replay"
        return f"was made by {made}: go on with that"
    return f"was made with {option} {was.get(option) or 'of nothing'}: give it the same"
