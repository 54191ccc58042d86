"""History in ClickHouse: derived events go in as Arrow blocks, each once, and no flow waits."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from time import monotonic

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from connectors.journal import Journal, read
from schemas import Event
from schemas.tables import Record, block, table

_ROWS = 50_000
_SECONDS = 1.0
_RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
_PATIENCE_SECONDS = 10.0


class History:
    """An outlet that keeps events in the table of their type.

    They go into a journal on disk first, and a thread of its own moves them from there to
    ClickHouse. A block that goes in twice, because a crash came between, is the same rows by
    their ids.

    Parameters
    ----------
    connect
        Returns a client that may write.
    journal
        Where rows wait.
    flow, run
        What the rows belong to.

    """

    def __init__(
        self, connect: Callable[[], Client], journal: Journal, flow: str, run: str
    ) -> None:
        self.journal = journal
        self.flow, self.run = flow, run
        self.held: dict[type[Event], list[Record]] = defaultdict(list)
        self.rows = 0
        self.written = monotonic()
        self.mover = Mover(connect, journal)

    def resume(self, state: object | None) -> None:
        """Start moving what waits, whatever there is."""
        self.mover.start()

    def write(self, records: list[Record]) -> None:
        """Hold records until there are enough of them, or a second is over."""
        for record in records:
            self.held[type(record.event)].append(record)
        self.rows += len(records)
        if self.rows >= _ROWS or monotonic() - self.written > _SECONDS:
            self.snapshot()

    def snapshot(self) -> object:
        """Put all that is held into the journal."""
        for kind, records in self.held.items():
            if records:
                self.journal.append(table(kind), block(self.flow, self.run, kind, records))
        self.held.clear()
        self.rows, self.written = 0, monotonic()
        self.mover.wake.set()
        return None

    def close(self) -> None:
        """Wait until history has it all; not for long, if it cannot be reached."""
        self.snapshot()
        self.mover.finish()


class Mover:
    """Move blocks from a journal to ClickHouse, in a thread of its own.

    Parameters
    ----------
    connect
        Returns a client that may write.
    journal
        Where rows wait. What cannot be moved stays there.

    """

    def __init__(self, connect: Callable[[], Client], journal: Journal) -> None:
        self.connect = connect
        self.journal = journal
        self.wake = threading.Event()
        self.trouble: str | None = None
        """Why the last block did not go in, if it did not."""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        """Start moving."""
        self._thread.start()

    def finish(self) -> None:
        """Move what waits, and stop; give up when it fails for too long."""
        self._ending.set()
        self.wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        client: Client | None = None
        failures, failing_since = 0, 0.0
        while True:
            self.wake.clear()
            try:
                client = client or self.connect()
                for entry in self.journal.waiting():
                    client.insert_arrow(entry.table, read(entry))
                    entry.path.unlink()
                    failures, self.trouble = 0, None
                if self._ending.is_set():
                    return
                self.wake.wait()
            except (ClickHouseError, HTTPError, OSError) as error:
                client, self.trouble = None, f"{type(error).__name__}: {error}"
                failing_since = failing_since if failures else monotonic()
                failures += 1
                if self._ending.is_set() and monotonic() - failing_since > _PATIENCE_SECONDS:
                    return
                self._pause(failures)

    def _pause(self, failures: int) -> None:
        """Wait a little longer after each failure, but not past the end of the run."""
        seconds = _RETRY_SECONDS[min(failures, len(_RETRY_SECONDS)) - 1]
        self._ending.wait(seconds) if not self._ending.is_set() else self.wake.wait(seconds)
