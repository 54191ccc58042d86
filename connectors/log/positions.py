"""How far the partitions of a log were read: a small file, whole or as it was before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import orjson

from connectors.disk import kept, sync

_WHAT = "what was read of the log"


def noted(path: Path) -> dict[str, int]:
    """Return the positions a file holds; none where there is no file."""
    with kept(_WHAT, path):
        return dict(orjson.loads(path.read_bytes())) if path.exists() else {}


def note(path: Path, positions: Mapping[str, int]) -> None:
    """Keep positions in a file, durably.

    Raises
    ------
    DiskError
        When the disk does not take it.

    """
    partial = path.with_name(f"{path.name}.partial")
    with kept(_WHAT, path):
        with partial.open("wb") as file:
            file.write(orjson.dumps(dict(positions)))
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
        sync(path.parent)
