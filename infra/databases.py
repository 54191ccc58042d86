"""Copying a database of ours while others write to it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

_PATIENCE_SECONDS = 60.0
"""How long a writer may keep it locked."""


def copy_database(path: Path, to: Path) -> None:
    """Copy a database as it is at one moment, durably, for its owner's eyes only.

    Raises
    ------
    OSError
        When it cannot be read or written.

    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with (
            closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE_SECONDS)) as source,
            closing(sqlite3.connect(to)) as target,
        ):
            to.chmod(0o600)
            # At once: piece by piece it would begin again whenever somebody writes.
            source.backup(target, pages=-1)
    except sqlite3.Error as error:
        raise OSError(f"{path.name}: {error}; look at the disk") from error
    with to.open("rb") as file:
        os.fsync(file.fileno())
