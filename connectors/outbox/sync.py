"""Making an outbox durable: one sync for all that was kept before it, from any thread.

SQLite appends each transaction to its write-ahead log. As that is synced before anything is done
that rests on it, a commit itself need not wait for the disk: behind a loss of power SQLite goes on
from the last whole transaction that is there.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from connectors import disk
from connectors.outbox.file import FILE, connect, explained

LOG = f"{FILE}-wal"
_sync = getattr(os, "fdatasync", os.fsync)


class Sync:
    """Syncs the write-ahead log of an outbox that is open to write.

    Parameters
    ----------
    directory
        Where the outbox is.

    Raises
    ------
    OutboxError
        When it cannot be synced.

    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with explained(directory):
            self._log = os.open(directory / LOG, os.O_RDONLY)
            disk.sync(directory)
        self()  # who was killed before us may have kept what is not durable yet

    def __call__(self) -> None:
        """Return when all that was kept before is durable."""
        with explained(self.directory):
            _sync(self._log)

    def close(self) -> None:
        """Give back what it holds."""
        os.close(self._log)


def tidy(directory: Path) -> None:
    """Move what is kept from the write-ahead log to its place, so that the log begins anew.

    It takes some syncs, and who writes meanwhile does not wait.
    """
    with explained(directory), closing(connect(directory)) as file:
        file.execute("PRAGMA synchronous = NORMAL")
        # The first takes long; the second moves what was kept meanwhile: only an empty log begins
        # anew.
        for _ in range(2):
            file.execute("PRAGMA wal_checkpoint(PASSIVE)")
