"""A recovery store: what a run needs to go on after it was stopped or killed."""

from __future__ import annotations

import os
import platform
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import cast

import orjson

from connectors.disk import kept
from connectors.shelf import Shelf
from infra.lock import Busy, Lock
from infra.recovery import adoption, snapshots
from infra.recovery.division import Divisible, Part, divide
from infra.recovery.form import Form, differs, step_differs
from infra.recovery.layout import BEGUN, PARTS, RUN, SHELF, SNAPSHOTS
from infra.recovery.remake import NAMES, finish, remake
from infra.recovery.snapshots import Kept
from infra.running.problems import AFRESH
from infra.running.sources import Source
from schemas.mendable import Mendable

_LOCK = "lock"
_FORMAT = 4
_PREDECESSOR_SECONDS = 30.0
_OWN = ("run", "started", "processes")
"""What may be another of a run that goes on."""
_RENEWED = ("steps", "river")
"""What may be another where a changed flow takes over."""


class StoreError(Mendable, ValueError):
    """A recovery store that does not fit; its text names the choices."""


class Onward(str, Enum):
    """What becomes of what a store has kept, if the flow is another one now."""

    SAME = ""
    """It is refused."""
    ADOPT = "adopt"
    """Positions are taken over; the rest begins anew."""
    AFRESH = "afresh"
    """All begins anew, if nothing is open; also if the flow is the same."""


@dataclass(frozen=True)
class _Identity(Form):
    format: int = _FORMAT
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: int = field(default_factory=time.time_ns)
    python: str = ".".join(platform.python_version_tuple()[:2])
    bytewax: str = field(default_factory=lambda: version("bytewax"))
    river: str = field(default_factory=lambda: version("river"))

    def written(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)


class Store:
    """A directory with the snapshots of each process, and what they belong to.

    It holds pickles, that is code: only its owner may read or write it.

    Parameters
    ----------
    directory
        Where it is, or will be made.
    form
        What the run that uses it is like.
    onward
        What becomes of what it has kept, if the flow is another one now.

    Raises
    ------
    StoreError
        When it belongs to another flow or form of run, is used by another run, is damaged, or is
        open to other users of this machine; or when something is open that `onward` would forget.
    DamagedError
        When its snapshots are damaged.
    DiskError
        When it cannot be kept there.

    """

    def __init__(self, directory: Path, form: Form, onward: Onward = Onward.SAME) -> None:
        self.directory = directory
        with kept("snapshots", directory):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._check_owner()
            self._lock = self._locked()
            try:
                self._open(_Identity(**vars(form)), onward)
            except BaseException:
                self.close()
                raise

    def _open(self, wanted: _Identity, onward: Onward) -> None:
        finish(self.directory)
        self.resumed = (self.directory / RUN).exists()
        if not self.resumed:
            self._begin(wanted)
            self._identity = self._wanted = wanted
        else:
            self._identity = _read(self.directory, wanted, onward)
            own = {name: getattr(self._identity, name) for name in ("run", "started")}
            self._wanted = replace(wanted, **own)
            with self._still():
                self._kept = self._whole()
                held = (state for one in self._kept for state in one.values())
                Shelf(self.directory / SHELF).tidy(held)
                if onward is Onward.AFRESH:
                    self._begin_anew(wanted)
        self.run, self.started = self._identity.run, self._identity.started

    def fit(self, source: Callable[[], Source]) -> None:
        """Make it what the run that uses it is like, if it is not: its processes, its steps.

        Parameters
        ----------
        source
            Opens all that the run reads.

        """
        was, wanted = self._identity, self._wanted
        if (was.processes, was.steps, was.river) == (wanted.processes, wanted.steps, wanted.river):
            return
        states = self._kept
        if was.steps != wanted.steps or was.river != wanted.river:
            states = [adoption.adopted(was.flow, one, was.steps, wanted.steps) for one in states]
        with self._still():
            made = divide(was.flow, states, wanted.processes, cast("Divisible", source()))
            remake(self.directory, wanted.written(), made, self._processes())
        self._identity = wanted

    def close(self) -> None:
        """Let others use it."""
        self._lock.close()

    def _begin(self, identity: _Identity) -> None:
        self._check_empty()
        for number in range(identity.processes):
            own = self.directory / str(number) / SNAPSHOTS
            partial = own.with_name(f"{SNAPSHOTS}.partial")
            for old in (own, partial):  # of a start that was killed: nothing ran yet
                if old.exists():
                    for file in old.iterdir():
                        file.unlink()
                    old.rmdir()
            partial.mkdir(parents=True, mode=0o700)
            snapshots.prepare(partial)
            partial.rename(own)
        written = self.directory / f"{RUN}.partial"
        written.write_bytes(identity.written())
        written.rename(self.directory / RUN)

    def _begin_anew(self, wanted: _Identity) -> None:
        """Forget all, if nothing is open."""
        was = self._identity
        try:
            open_ = [market for one in self._kept for market in adoption.held(one, was.steps)]
        except Exception as error:
            raise StoreError(
                f"{self.directory} was kept by another version, and whether it is flat cannot be "
                f"told ({error!r}): let that close its positions, or {AFRESH}"
            ) from error
        if open_:
            raise StoreError(
                f"{self.directory} holds positions in {', '.join(open_)}: close them with the "
                f"former flow (deck close --flow {was.flow}), or take them over with --adopt"
            )
        parts = [Part() for _ in range(wanted.processes)]
        remake(self.directory, wanted.written(), parts, self._processes())
        self._identity = self._wanted = wanted
        self.resumed = False

    def _whole(self) -> list[Kept]:
        """Return what every process has kept, having seen that it is whole."""
        found = []
        for directory in self._processes():
            part = directory / SNAPSHOTS / snapshots.FILE
            if not part.exists() or not part.stat().st_size:
                raise StoreError(f"{part} is missing: put back the whole directory, or {AFRESH}")
            found.append(snapshots.read(part.parent))
            if not found[-1] and (directory / BEGUN).exists():
                raise StoreError(
                    f"{part} has lost what it kept, such as a file beside it that was not copied: "
                    f"put back the whole directory, or {AFRESH}"
                )
        return found

    def _processes(self) -> list[Path]:
        return [self.directory / str(number) for number in range(self._identity.processes)]

    @contextmanager
    def _still(self) -> Iterator[None]:
        """See that no process is at work in it, such as one whose parent died."""
        with ExitStack() as stack:
            for directory in self._processes():
                if (directory / _LOCK).exists():  # else nobody was ever at work there
                    stack.callback(alone(directory).close)
            yield

    def _check_empty(self) -> None:
        """See that nobody else's files are in it."""
        ours = (_LOCK, f"{RUN}.partial", *NAMES)
        for path in self.directory.iterdir():
            if path.name not in ours and not path.name.isdigit():
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


def check(directory: Path, form: Form) -> None:
    """See that a run of this form could go on from a store that another may be at work with.

    Raises
    ------
    StoreError
        When it could not.

    """
    with kept("snapshots", directory):
        _read(directory, _Identity(**vars(form)), Onward.SAME)


def _read(directory: Path, wanted: _Identity, onward: Onward) -> _Identity:
    """Return whose a store is, having seen that a run of this form can go on from it."""
    path = directory / RUN
    try:
        found = orjson.loads(path.read_bytes())
        if found["format"] < _FORMAT:
            raise StoreError(
                f"{directory} was made by an earlier Tapedeck: go on with that, or {AFRESH}"
            )
        there = _Identity(**found)
    except (orjson.JSONDecodeError, TypeError, KeyError) as error:
        raise StoreError(f"{path} is damaged ({error}): {AFRESH}") from error
    if onward is not Onward.AFRESH:
        _compare(directory, there, wanted, onward)
    return there


def _compare(directory: Path, there: _Identity, wanted: _Identity, onward: Onward) -> None:
    """See that a run of this form can go on from what is there."""
    renewed = _RENEWED if onward is Onward.ADOPT else ()
    for one in fields(_Identity):
        was, is_ = getattr(there, one.name), getattr(wanted, one.name)
        if was == is_ or one.name in (*_OWN, *renewed):
            continue
        if one.name == "steps":
            raise StoreError(f"{directory}: {step_differs(was, is_)}")
        raise StoreError(f"{directory} {differs(one.name, was, is_)}, or {AFRESH}")
    changed = there.steps != wanted.steps or there.river != wanted.river
    if changed and (why := adoption.unmovable(there.steps, wanted.steps)):
        raise StoreError(
            f"{directory}: {why}, so --adopt cannot take them over: go on with the former "
            f"version until it is flat, or {AFRESH}"
        )


def alone(directory: Path) -> Lock:
    """Wait for the process that had a share before: if its parent died, it is dying.

    Raises
    ------
    StoreError
        When it does not end.

    """
    deadline = time.monotonic() + _PREDECESSOR_SECONDS
    while True:
        try:
            return Lock(directory / _LOCK)
        except Busy:
            if time.monotonic() > deadline:
                raise StoreError(
                    f"{directory} is still used by another process: end it, or {AFRESH}"
                ) from None
        time.sleep(0.01)


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
    path = directory / PARTS
    known = orjson.loads(path.read_bytes()) if path.exists() else []
    if gone := [name for name in known if name not in parts]:
        raise StoreError(f"{directory.parent} {told(gone)}, or {AFRESH}")
    with kept("snapshots", directory):
        partial = path.with_suffix(".partial")
        partial.write_bytes(orjson.dumps(parts))
        partial.replace(path)
