"""Make a recovery store anew beside the old one, and put it in its place: all of it or nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

import orjson

from connectors.disk import kept, sync
from connectors.history.journal import waiting
from infra.recovery import snapshots
from infra.recovery.division import Part
from infra.recovery.layout import BEGUN, PARTS, RUN, SNAPSHOTS, STARTS

_MADE, _PARTIAL, _TOLD = "remade", "remade.partial", "told"
NAMES = frozenset({_MADE, _PARTIAL})


def remake(store: Path, identity: bytes, parts: Sequence[Part], was: Iterable[Path]) -> None:
    """Give a store other processes.

    Parameters
    ----------
    store
        Its directory. Whoever calls holds its lock, and no process works in it.
    identity
        What its `run.json` will say.
    parts
        What each process goes on from.
    was
        The directories of the processes before: what they keep of markets goes along, and all
        rows that wait for history.

    """
    partial = store / _PARTIAL
    with kept("snapshots", store):
        shutil.rmtree(partial, ignore_errors=True)
        for number, part in enumerate(parts):
            _make(partial / str(number), part, was)
        _move_rows(was, partial / "0" / "journal")
        (partial / RUN).write_bytes(identity)
        sync(partial)
        partial.rename(store / _MADE)
        finish(store)


def finish(store: Path) -> None:
    """Put what was made beside a store in its place, if that was begun; however often it was."""
    made = store / _MADE
    shutil.rmtree(store / _PARTIAL, ignore_errors=True)
    if not made.exists():
        return
    with kept("snapshots", store):
        if (made / RUN).exists():
            said = orjson.loads((made / RUN).read_bytes())
            for old in _processes(store):
                if int(old.name) >= said["processes"]:
                    shutil.rmtree(old)
            for new in _processes(made):
                shutil.rmtree(store / new.name, ignore_errors=True)
                new.rename(store / new.name)
            if orjson.loads((store / RUN).read_bytes())["run"] != said["run"]:
                (store / STARTS).unlink(missing_ok=True)
            sync(store)
            (made / RUN).rename(store / RUN)
        made.rmdir()


def _processes(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.name.isdigit())


def _make(directory: Path, part: Part, was: Iterable[Path]) -> None:
    """Make the directory of one process."""
    own = directory / SNAPSHOTS
    own.mkdir(parents=True, mode=0o700)
    snapshots.prepare(own)
    if part.kept:
        snapshots.write(own, part.kept)
        (directory / BEGUN).touch()
    (directory / PARTS).write_bytes(orjson.dumps(part.parts))
    (directory / "events").mkdir()
    (directory / "journal").mkdir(mode=0o700)
    for old in was:
        for file in (old / "events").glob("*"):
            if unquote(file.name) in part.markets:
                _also(file, directory / "events" / file.name)
        for told in old.glob(_TOLD):  # lines of all of them: nobody is told twice
            with (directory / _TOLD).open("ab") as file_:
                file_.write(told.read_bytes())


def _move_rows(was: Iterable[Path], journal: Path) -> None:
    """Let rows that wait for history wait in one journal; which comes first is all the same."""
    entries = (entry for old in was for entry in waiting(old / "journal"))
    for number, entry in enumerate(entries, 1):
        _also(entry.path, journal / f"{number:012d}.{entry.table}{entry.path.suffix}")


def _also(file: Path, there: Path) -> None:
    """Let a file be there, too; whoever opens it there is not at work before it is gone here."""
    try:
        os.link(file, there)
    except OSError:  # not every file system can
        shutil.copyfile(file, there)
