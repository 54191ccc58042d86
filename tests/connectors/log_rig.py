"""A log with its writer, in this process or in one of its own that can be killed."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from connectors.log.client import LogClient
from connectors.log.keeper import Keep
from connectors.log.sqlite_log import SqliteLog
from connectors.log.sqlite_writer import SqliteWriter
from connectors.log.writer import LogServer

ROOT = Path(__file__).parents[2]
_SERVE = """
import sys
from pathlib import Path
from connectors.log.writer import LogServer
from connectors.log.sqlite_writer import SqliteWriter
server = LogServer(SqliteWriter(Path(sys.argv[1]), 4))
print("ready", flush=True)
server.serve()
"""


@contextmanager
def served(directory: Path, keep: Keep | None = None) -> Iterator[LogServer]:
    """Serve a log of four partitions from a thread."""
    with closing(SqliteWriter(directory, 4)) as writer:
        server = LogServer(writer, keep)
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join()


@contextmanager
def serving_process(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Serve a log of four partitions from a process; it is killed at the end."""
    command = [sys.executable, "-c", _SERVE, str(directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


class ServedPlace:
    """A log whose messages are handed to its writer."""

    def __init__(self, server: LogServer) -> None:
        self._server = server
        self.directory = server.writer.directory

    def log(self) -> SqliteLog:
        return SqliteLog(self.directory)

    def appender(self) -> LogClient:
        return LogClient(self.directory)

    def cut(self, partition: str, offset: int) -> None:
        # Its thread waits for clients, and there are none: nobody else uses the writer now.
        while self._server.writer.retain(0, None, {partition: offset}):
            pass
