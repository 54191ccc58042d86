"""What of a home is backed up, and in which order, so that all of it fits together.

Everything runs on while it is copied, so each part is copied at another moment. What reads comes
before what it reads, and what tells of something before the place where that is kept: then a part
may be older than one copied behind it, never newer, and what is missing comes again.

1. The stores' snapshots. A run goes on from there, over the log that is copied later; what it
   concludes again has the ids it had.
2. What stands beside snapshots: files of events are cut to the length a snapshot knows. Checkpoints
   are older than either.
3. Outboxes. What flows had read of an executor's reports at their snapshots is in there, and what
   an outbox holds for told, or taken from the queue, is in the log and the queue copied later.
4. How far ingest has brought the log into history.
5. Journals: rows that wait for history. What went from there meanwhile is in history.
6. History. What it has of a run, the run concludes once more from the log, if it was not yet there
   at its snapshot: so the log comes behind it, or history would keep what nobody concludes again.
7. The order queue, and the market log.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from infra.below import below
from infra.recovery.layout import RUN, SHELF

_ENGINE, _DATABASE = "*/snapshots/*.sqlite3", ".sqlite3"
_LOGS = ("orders", "log")
_JOURNALS = ("trading/*/journal", "trading/*/*/journal", "deployments/*/store/journal",
             "deployments/*/store/*/journal", "ingest/journal", "ingest/late-*", "runs/**/journal",
             )  # fmt: skip
_CHECKPOINTS = "*/*/checkpoints"
_NOT_KEPT = {"lock", "outbox.lock", "writer.json", "status.json"}
"""What is true of a process that runs, and of no other."""
_NOT_KEPT_DIRECTORIES = {"logs", "journal", "checkpoints"}


class Piece(NamedTuple):
    """A file to be copied."""

    part: str
    """What it belongs to, as people call it."""
    path: Path
    passing: bool = False
    """Whether it may be gone when its turn comes."""

    @property
    def database(self) -> bool:
        """Whether it is SQLite's, so that a plain copy would be torn."""
        return self.path.suffix == _DATABASE


def pieces(home: Path) -> Iterator[Piece]:
    """Yield what is to be copied in front of history, each found only when its turn comes.

    Parameters
    ----------
    home
        Where everything local is kept.

    """
    found = stores(home)
    for store in found:
        yield Piece("stores", store / RUN)
        yield from (Piece("stores", path) for path in sorted(store.glob(_ENGINE)))
    for store in found:
        yield from (piece for piece in _beside("stores", store) if piece.path.name != RUN)
    for directory in sorted(home.glob("deployments/*")):
        yield from (p for p in _beside("deployments", directory) if "store" not in p.path.parts)
    yield from _checkpoints(home)
    for directory in sorted(home.glob("executor/*")):
        yield from (Piece("outboxes", path) for path in sorted(directory.glob("*.sqlite3")))
        yield from _beside("outboxes", directory)
    yield from (Piece("ingest", path) for path in sorted(home.glob("ingest/*.json")))
    for pattern in _JOURNALS:
        for path in sorted(home.glob(f"{pattern}/*.arrow")):
            yield Piece("rows that wait", path, passing=True)


def logs(home: Path) -> Iterator[Piece]:
    """Yield what is to be copied behind history."""
    for name in _LOGS:
        yield from (Piece(name, path) for path in sorted((home / name).glob("*.sqlite3")))
        yield from (p for p in _beside(name, home / name) if p.path.suffix == ".json")


def stores(home: Path) -> list[Path]:
    """Return the recovery stores of a home."""
    patterns = (f"trading/*/{RUN}", f"deployments/*/store/{RUN}")
    return sorted(path.parent for pattern in patterns for path in home.glob(pattern))


def _checkpoints(home: Path) -> Iterator[Piece]:
    """Yield what is kept of checkpoints, whose oldest go meanwhile."""
    for path in sorted(path for place in home.glob(_CHECKPOINTS) for path in below(place)):
        if path.is_file() and not path.name.endswith(("lock", ".partial", "-wal", "-shm")):
            yield Piece("checkpoints", path, passing=True)


def _beside(part: str, directory: Path) -> Iterator[Piece]:
    """Yield the plain files of a directory that outlive a process."""
    for path in sorted(below(directory)):
        inner = path.relative_to(directory).parts
        if (
            path.is_file()
            and not path.is_symlink()
            and path.name not in _NOT_KEPT
            and not _NOT_KEPT_DIRECTORIES & {*inner}
            and not path.name.endswith((".partial", ".part"))
            and _DATABASE not in path.name
        ):
            yield Piece(part, path, passing=SHELF in inner)
