"""History in ClickHouse: derived events go in as Arrow blocks, each once, and no flow waits."""

from __future__ import annotations

import logging
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from time import monotonic
from typing import TypeAlias

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from urllib3.exceptions import HTTPError

from connectors.history.journal import Entry, Journal, read, waiting
from schemas import Event
from schemas.tables import Record, block, table

Connect: TypeAlias = Callable[[], Client]
"""Returns a client that may write, or raises one of `UNREACHABLE`."""

UNREACHABLE = (OperationalError, HTTPError, OSError)
"""What says that nobody answers; other errors of ClickHouse's refuse one block."""

_WHERE = re.compile(r"ClickHouse at \S+: ")
_CORE = re.compile(r"DB::Exception: (.+?) \([A-Z_]+\)|\[Errno -?\d+\] ([\w ]+)|(timed out)")
_ROWS = 50_000
_SECONDS = 1.0
_RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
_PATIENCE_SECONDS = 10.0
_STALL_SECONDS = 30.0


logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())
"""What it would write to the screen is raised, too."""


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

    def __init__(self, connect: Connect, journal: Journal, flow: str, run: str) -> None:
        self.journal = journal
        self.flow, self.run = flow, run
        self.mover = Mover(connect, journal)
        self._held: dict[type[Event], list[Record]] = defaultdict(list)
        self._rows = 0
        self._written = monotonic()

    def resume(self, state: Mapping[str, object] | None) -> None:
        """Start moving what waits, whatever there is."""
        self.mover.start()

    def write(self, records: list[Record]) -> None:
        """Hold records until there are enough of them, or a second is over."""
        for record in records:
            self._held[type(record.event)].append(record)
        self._rows += len(records)
        if self._rows >= _ROWS or monotonic() - self._written > _SECONDS:
            self.snapshot()

    def snapshot(self) -> None:
        """Put all that is held into the journal."""
        for kind, records in self._held.items():
            self.journal.append(table(kind), block(self.flow, self.run, kind, records))
        self._held.clear()
        self._rows, self._written = 0, monotonic()
        self.mover.look()

    def close(self) -> None:
        """Wait until history has it all; not for long, if it cannot be reached."""
        self.snapshot()
        self.mover.finish()


class Mover:
    """Move blocks from a journal to ClickHouse, in a thread of its own.

    What is refused does not stop what stands behind it: it is tried again at the end, and stays
    in the journal for a later run.

    Parameters
    ----------
    connect
        Returns a client that may write.
    journal
        Where rows wait. What cannot be moved stays there.

    """

    def __init__(self, connect: Connect, journal: Journal) -> None:
        self.connect = connect
        self.journal = journal
        self._unreachable: str | None = None
        self._refused: dict[str, str] = {}
        self._moved = 0
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._patience = _PATIENCE_SECONDS
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    @property
    def trouble(self) -> str | None:
        """Why not all blocks went in, if they did not."""
        return self._unreachable or refusal(self._refused)

    def start(self) -> None:
        """Start moving."""
        self._thread.start()

    def look(self) -> None:
        """Tell that there is more to move."""
        self._wake.set()

    def finish(self) -> None:
        """Move what waits, and stop; give up when it fails for too long."""
        self._ending.set()
        self._wake.set()
        while self._thread.is_alive():
            moved = self._moved
            self._thread.join(_STALL_SECONDS)
            if self._thread.is_alive() and moved == self._moved:
                self._unreachable = f"no answer for {_STALL_SECONDS:.0f} seconds"
                return

    def abandon(self) -> None:
        """Stop behind the block that is under way; the rest stays in the journal."""
        self._patience = 0.0
        self._ending.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_SECONDS)

    def _run(self) -> None:
        client: Client | None = None
        failures, since = 0, 0.0
        while True:
            # Look first: what is put into the journal behind this look is seen in another round.
            ending = self._ending.is_set()
            self._wake.clear()
            try:
                client = client or self.connect()
                self._move(client, again=ending)
            except UNREACHABLE as error:
                client, self._unreachable = None, reason(error)
                since = since if failures else monotonic()
                failures += 1
                patience = self._patience if self._moved else 0.0
                if ending and monotonic() - since >= patience:
                    return
                self._pause(failures, ending=ending)
                continue
            failures, self._unreachable = 0, None
            if ending:
                return
            self._wake.wait()

    def _move(self, client: Client, *, again: bool) -> None:
        if again:
            self._refused.clear()
        entries = (e for e in waiting(self.journal.directory) if e.path.name not in self._refused)
        for entry, why in move(client, entries):
            if why is None:
                self._moved += 1
            else:
                self._refused[entry.path.name] = why

    def _pause(self, failures: int, *, ending: bool) -> None:
        """Wait a little longer after each failure, but not past the end of the run."""
        seconds = _RETRY_SECONDS[min(failures, len(_RETRY_SECONDS)) - 1]
        self._wake.wait(seconds) if ending else self._ending.wait(seconds)


def move(client: Client, entries: Iterable[Entry]) -> Iterator[tuple[Entry, str | None]]:
    """Move blocks into ClickHouse, and yield each with why it was refused, if it was."""
    for entry in entries:
        why = None
        try:
            client.insert_arrow(entry.table, read(entry))
        except UNREACHABLE:
            raise
        except (ClickHouseError, pa.ArrowException) as error:
            why = f"{entry.table}: {reason(error)}"
        else:
            entry.path.unlink(missing_ok=True)
        yield entry, why


def reason(error: BaseException) -> str:
    """Return in few words why ClickHouse does not do something.

    Examples
    --------
    >>> pool = "Error HTTPConnectionPool(host='h'): (Caused by X: [Errno 111] Connection refused')"
    >>> reason(OSError(f"ClickHouse at h:9: {pool}"))
    'ClickHouse at h:9: Connection refused'
    >>> reason(OSError("response: Code: 516. DB::Exception: Wrong password. (X) (for url y)"))
    'Wrong password.'

    """
    line = next(iter(str(error).splitlines()), "") or type(error).__name__
    where = _WHERE.match(line)
    core = _CORE.search(line)
    return (where[0] if where else "") + core[core.lastindex or 0] if core else line


def refusal(refused: dict[str, str]) -> str | None:
    """Return what is said of blocks that were refused, if there are any."""
    if not refused:
        return None
    count = f"{len(refused)} blocks of rows are" if len(refused) > 1 else "a block of rows is"
    return f"{count} refused: {next(iter(refused.values()))}"
