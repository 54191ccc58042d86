"""The snapshots of one process: the engine's SQLite file, read, checked and written by us."""

from __future__ import annotations

import io
import pickle
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeAlias

from typing_extensions import override

from connectors import disk
from connectors.disk import DiskError
from infra.running import engine
from infra.running.engine import DamagedError
from infra.running.problems import AFRESH
from schemas.sealed import SUM, opened, sum_of

FILE = "part-0.sqlite3"
_HEAD = 24
"""So many bytes of an SQLite file say what it is, and never change."""
_NUMBERS = {
    "exs": ("ex_num", "resume_epoch"),
    "fronts": ("ex_num", "worker_frontier"),
    "commits": ("part_index", "commit_epoch"),
}
"""What decides where the engine goes on: no index of SQLite's holds it a second time."""

# The engine goes on from the frontier of its last execution: what is newer was not finished.
_RESUMED = (
    "SELECT coalesce((SELECT min(worker_frontier) FROM fronts WHERE fronts.ex_num = exs.ex_num), "
    "resume_epoch) FROM exs ORDER BY ex_num DESC LIMIT 1"
)
_KEPT = (
    "SELECT step_id, state_key, ser_change, max(snap_epoch) FROM snaps "
    "WHERE snap_epoch < ? GROUP BY step_id, state_key"
)
_BEGUN = (
    "INSERT INTO exs (ex_num, worker_count, resume_epoch) VALUES (0, 1, 1)",
    "INSERT INTO fronts (ex_num, worker_index, worker_frontier) VALUES (0, 0, 2)",
    "INSERT INTO commits (part_index, commit_epoch) VALUES (0, 1)",
)


class Key(NamedTuple):
    """Whose state it is."""

    step: str
    name: str
    """A market, a part of a source, or what a sink calls its own."""


Kept: TypeAlias = Mapping[Key, bytes]
"""States as the engine pickled them: a source's is a mapping, all others are sealed bytes."""


class _Form(NamedTuple):
    """What is the same in all such files."""

    head: bytes
    tables: frozenset[str]
    version: int


class _Plain(pickle.Unpickler):
    """Reads plain values only: what is in a store could be anybody's code."""

    @override
    def find_class(self, module_name: str, global_name: str) -> object:
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is no plain value")


def prepare(directory: Path) -> None:
    """Make a directory ready for the engine, whose every number will be kept twice."""
    engine.prepare(directory)
    with closing(sqlite3.connect(directory / FILE)) as file:
        for table, (key, value) in _NUMBERS.items():
            file.execute(f"CREATE TABLE {table}_twin ({key} INTEGER, {value} INTEGER)")
            for when in ("INSERT", "UPDATE"):
                file.execute(
                    f"CREATE TRIGGER {table}_{when} AFTER {when} ON {table} BEGIN "  # noqa: S608 - our own names
                    f"DELETE FROM {table}_twin WHERE {key} = new.{key}; "
                    f"INSERT INTO {table}_twin VALUES (new.{key}, new.{value}); END"
                )
        file.commit()


def write(directory: Path, kept: Kept) -> None:
    """Put states into a directory made ready, as if an engine had been stopped with them."""
    with closing(sqlite3.connect(directory / FILE)) as file:
        for statement in _BEGUN:
            file.execute(statement)
        file.executemany(
            "INSERT INTO snaps (step_id, state_key, snap_epoch, ser_change) VALUES (?, ?, 1, ?)",
            [(*key, state) for key, state in kept.items()],
        )
        file.commit()


def read(directory: Path) -> Kept:
    """Return the states that the engine would go on from, having seen that nothing changed them.

    Raises
    ------
    DamagedError
        When something did.
    DiskError
        When the disk does not let us.

    """
    path, form = directory / FILE, _form()  # made first: its troubles are not this file's
    with _damage(path):
        if path.read_bytes()[:_HEAD] != form.head:
            raise ValueError("no snapshots")
        with closing(_open(path)) as file:
            file.execute("BEGIN")  # an engine may be at work: all that is read is of one moment
            _check(file)
            [resumed] = file.execute(_RESUMED).fetchone() or [0]
            rows = file.execute(_KEPT, (resumed,)).fetchall()
        kept = {Key(step, name): state for step, name, state, _ in rows if state is not None}
        for state in kept.values():
            _check_state(plain(state))
    return kept


def plain(state: bytes) -> object:
    """Return a state as the engine would, if it is of plain values."""
    return _Plain(io.BytesIO(state)).load()


def _check(file: sqlite3.Connection) -> None:
    """See that the tables are whole, and that what is kept twice is twice the same."""
    [[said]] = file.execute("PRAGMA integrity_check(1)").fetchall()
    form = _form()
    if said != "ok" or _tables(file) != form.tables or _version(file) != form.version:
        raise ValueError(said)
    for table, (key, value) in _NUMBERS.items():
        one, other = (
            sorted(file.execute(f"SELECT {key}, {value} FROM {name}").fetchall())  # noqa: S608
            for name in (table, f"{table}_twin")
        )
        if one != other:
            raise ValueError(table)


def _check_state(state: object) -> None:
    if isinstance(state, bytes):
        opened(state)
    elif not isinstance(state, dict) or state.get(SUM) != sum_of(state):
        raise ValueError("another sum")


def _open(path: Path) -> sqlite3.Connection:
    """Open a file to read; only one that was not closed has a log beside it, which is needed."""
    log = path.with_name(f"{path.name}-wal")
    alone = "" if log.exists() and log.stat().st_size else "&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True)


@cache
def _form() -> _Form:
    with disk.kept("a file to compare with", Path("TMPDIR")), TemporaryDirectory() as place:
        path = Path(place, FILE)
        try:
            prepare(path.parent)
            with closing(sqlite3.connect(path)) as file:
                return _Form(path.read_bytes()[:_HEAD], _tables(file), _version(file))
        except sqlite3.OperationalError as error:  # the disk's, for nothing is wrong with our own
            raise OSError(str(error)) from error


def _tables(file: sqlite3.Connection) -> frozenset[str]:
    found = file.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return frozenset(repr(row) for row in found)


def _version(file: sqlite3.Connection) -> int:
    return int(file.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        msg = f"{path} is missing: put back the whole directory, or {AFRESH}"
        raise DamagedError(msg) from error
    except OSError as error:
        msg = f"{path}: snapshots cannot be read ({error.strerror}): look at its disk"
        raise DiskError(msg) from error
    except Exception as error:  # a damaged file may raise anything
        msg = (
            f"the snapshots in {path.parent} are damaged: put back the whole directory, or {AFRESH}"
        )
        raise DamagedError(msg) from error
