"""The one process that owns the embedded history; `infra.history` starts and stops it."""

import fcntl
import json
import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType

from infra.history_engine import Engine
from infra.history_guard import Role
from infra.history_service import Server

DATA, LOCK, LOG, STATE, USERS = "data", "lock", "server.log", "state.json", "users.json"
"""The files of a history's home; the process holds `LOCK` for as long as it lives."""

DRAIN = 20.0
"""Seconds a stop waits for the statements under way; then they are killed."""

_KILL = 5.0
_log = logging.getLogger("tapedeck.history")


def serve(home: Path) -> None:
    """Serve the history in `home` until SIGTERM or SIGINT; a second signal ends at once.

    The first line of standard output says how it went: `ready PORT` or `failed WHY`.
    """
    os.chdir(home)
    os.umask(0o077)
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    _start_log()
    passwords: dict[Role, str] = json.loads(Path(USERS).read_text())
    engine = Engine(DATA)
    server = Server(engine, passwords)
    stop = _stop_on_signals()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state = {"pid": os.getpid(), "port": server.server_port, "since": time.time()}
    _replace(Path(STATE), json.dumps({**state, "version": engine.version}))
    _log.info("serving port %s, pid %s, ClickHouse %s", state["port"], state["pid"], engine.version)
    _say(f"ready {server.server_port}")
    stop.wait()
    _finish(server, engine)


def _finish(server: Server, engine: Engine) -> None:
    """Let the statements under way end, then close the files."""
    _log.info("stopping")
    Path(STATE).unlink(missing_ok=True)
    server.shutdown()
    if not server.drain(DRAIN):
        engine.kill("")
        server.drain(_KILL)
    server.server_close()
    engine.close()
    _log.info("stopped")
    logging.shutdown()
    # Not sys.exit: threads of silent connections would be torn down under their feet.
    os._exit(0)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def hear(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    signal.signal(signal.SIGTERM, hear)
    signal.signal(signal.SIGINT, hear)
    return stop


def _start_log() -> None:
    handler = RotatingFileHandler(LOG, maxBytes=1 << 20, backupCount=2)
    line = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    line.converter = time.gmtime
    handler.setFormatter(line)
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    _log.propagate = False


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new one, never half of one."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def _say(line: str) -> None:
    """Tell the starter; it may be gone, and nothing more is ever said."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    with suppress(BrokenPipeError):
        os.write(1, f"{line}\n".encode())
    os.dup2(nowhere, 1)


if __name__ == "__main__":
    try:
        serve(Path(sys.argv[1]))
    except Exception as error:  # noqa: BLE001 - whatever it is, the starter must hear of it
        _log.exception("could not start")
        _say(f"failed {type(error).__name__}: {' '.join(str(error).split())}")
        os._exit(1)
