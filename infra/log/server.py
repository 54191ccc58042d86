"""The one process that writes the embedded log; `infra.log.log` starts and stops it."""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import closing
from pathlib import Path

from connectors.log.sqlite_writer import SqliteWriter
from connectors.log.writer import LogServer
from infra.background import hear, log_to, say
from infra.log import limits as log_limits

_log = logging.getLogger("tapedeck.log")


def serve(directory: Path, partitions: int | None) -> None:
    """Write the log in `directory` until SIGTERM or SIGINT; what clients have sent is taken first.

    The first line of standard output says how it went: `ready` or `failed WHY`.
    """
    hear()
    os.umask(0o077)
    log_to(directory / "server.log", _log.name)
    limits = log_limits.load(directory)
    with closing(SqliteWriter(directory, partitions)) as writer:
        server = LogServer(writer, limits.keep())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: server.stop())
        _log.info("serving, pid %s, %s", os.getpid(), limits)
        say("ready")
        server.serve()
    _log.info("stopped")


if __name__ == "__main__":
    try:
        serve(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else None)
    except ValueError as error:
        _log.exception("could not go on")
        say(f"failed {error}")
        sys.exit(1)
