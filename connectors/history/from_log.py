"""From the log into history: each outside event once, in the table of its type."""

from __future__ import annotations

import threading
from collections import defaultdict
from pathlib import Path
from time import monotonic, sleep
from typing import Protocol

from connectors.history.clickhouse import Connect, Mover
from connectors.history.journal import Journal
from connectors.log.follow import Follower
from connectors.log.log import Entry, Log, LostError
from connectors.log.messages import said
from connectors.log.positions import note, noted
from schemas import Outside, Reject, Trades
from schemas.tables import outside_block, table

_MESSAGES = 200
_ROWS = 50_000
_SECONDS = 1.0
_IDLE_SECONDS = 0.05
_PATIENCE_SECONDS = 10.0


class DeadLetters(Protocol):
    """Where messages go that cannot be read, whole."""

    def put(self, partition: str, entry: Entry, why: str) -> None:
        """Take a message."""
        ...

    def flush(self) -> None:
        """Return when all that was taken is durable."""
        ...


class Archivist:
    """Keeps what a log has in history.

    Rows go into a journal on disk first, so that a history that is away holds nothing up; behind
    them, how far the log was read is noted. What is written again after a crash is the same row,
    by its place in the log.

    Parameters
    ----------
    log
        What is kept.
    connect
        Returns a client that may write.
    directory
        Where the journal is, and what was read so far; of this process alone.
    share
        `(k, n)`: only the partitions that process `k` of `n` has.
    dead
        Is given what cannot be read; that becomes a row in `rejects`, too.

    Raises
    ------
    DiskError
        When the directory cannot be used.
    LogError
        When the log cannot be read.

    """

    def __init__(
        self,
        log: Log,
        connect: Connect,
        directory: Path,
        share: tuple[int, int] = (0, 1),
        dead: DeadLetters | None = None,
    ) -> None:
        self._journal = Journal(directory / "journal")
        self._note = directory / "positions.json"
        self.positions = noted(self._note)
        """In front of which offset of each partition all is safe."""
        self._follower = Follower(log, share, self.positions)
        self._dead = dead
        self._held: dict[type[Outside], list[Outside]] = defaultdict(list)
        self._rows = 0
        self._reached: dict[str, int] = {}
        self._written = monotonic()
        self._mover = Mover(connect, self._journal)
        self._mover.start()

    @property
    def trouble(self) -> str | None:
        """Why history has not got all of it, if it has not."""
        return self._mover.trouble

    def step(self) -> int:
        """Take what the log has got, and return how many messages that was.

        Raises
        ------
        LostError
            When the log does not keep any more what comes next.
        LogError
            When it cannot be read, or the dead letters are not taken.
        DiskError
            When the disk does not take the rows.

        """
        count = 0
        try:
            for partition, entries in self._follower.read(_MESSAGES):
                count += len(entries)
                for entry in entries:
                    self._hold(entry, partition)
        except LostError as error:
            msg = f"{error}; remove {self._note} to let history go on with what is kept"
            raise LostError(msg) from error
        if self._reached and monotonic() - self._written > _SECONDS:
            self.flush()
        return count

    def run(self, stopped: threading.Event) -> None:
        """Take what comes until it is stopped, and what the log has by then; see `step`."""
        try:
            while not stopped.is_set():
                if not self.step():
                    stopped.wait(_IDLE_SECONDS)
            deadline = monotonic() + _PATIENCE_SECONDS
            while self._follower.behind() and monotonic() < deadline:
                if not self.step():
                    sleep(_IDLE_SECONDS)
            self.close()
        finally:
            self.abandon()

    def flush(self) -> None:
        """Put all that is held into the journal, and note how far the log was read."""
        if self._dead is not None:
            self._dead.flush()
        for kind, events in self._held.items():
            rows = outside_block(kind, events)
            self._journal.append(table(kind), rows)
        self._held.clear()
        self._rows, self._written = 0, monotonic()
        if self._reached:
            self.positions = {**self.positions, **self._reached}
            self._reached = {}
            note(self._note, self.positions)
        self._mover.look()

    def close(self) -> None:
        """Flush, and wait until history has it all; not for long, if it cannot be reached."""
        self.flush()
        self._mover.finish()
        self._follower.close()

    def abandon(self) -> None:
        """Stop as it is: what is in the journal stays there, what is held is read again."""
        self._mover.abandon()
        self._follower.close()

    def _hold(self, entry: Entry, partition: str) -> None:
        event, readable = said(entry, partition)
        if self._dead is not None and isinstance(event, Reject) and not readable:
            self._dead.put(partition, entry, event.why)
        self._held[type(event)].append(event)
        self._rows += len(event) if isinstance(event, Trades) else 1
        self._reached[partition] = entry.offset + 1
        if self._rows >= _ROWS:
            self.flush()
