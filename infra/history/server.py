"""The one process that owns the embedded history; `infra.history.history` starts and stops it."""

import fcntl
import json
import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import chdb

from infra.background import hear, log_to, say
from infra.history.engine import Engine
from infra.history.guard import Role
from infra.history.home import DATA, DRAIN, LOG, STATE, USERS, VERSION
from infra.history.service import Server

_KILL = 5.0
_log = logging.getLogger("tapedeck.history")


def serve(home: Path) -> None:
    """Serve the history in `home` until SIGTERM or SIGINT; a second signal ends at once.

    The first line of standard output says how it went: `ready PORT` or `failed WHY`.
    """
    hear()
    os.chdir(home)
    os.umask(0o077)
    state = os.open(STATE, os.O_RDWR | os.O_CREAT, 0o600)
    # Whoever looks whether we live holds it for a moment: so wait.
    fcntl.flock(state, fcntl.LOCK_EX)
    _tell(state, pid=os.getpid())
    log_to(LOG, _log.name)
    passwords: dict[Role, str] = json.loads(Path(USERS).read_text())
    _check_version(Path(VERSION))
    engine = Engine(DATA)
    server = Server(engine, passwords)
    stop = _stop_on_signals()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port, version = server.server_port, engine.version
    _tell(state, pid=os.getpid(), port=port, since=int(time.time()), version=version)
    _log.info("serving port %s, pid %s, ClickHouse %s", port, os.getpid(), version)
    say(f"ready {port}")
    stop.wait()
    _log.info("stopping")
    _tell(state, pid=os.getpid())
    _finish(server, engine)


def _finish(server: Server, engine: Engine) -> None:
    """Let the statements under way end, then close the files."""
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
    """Return an event that the first signal sets; the second ends the process.

    A thread reads the signals from a pipe: with chDB's many threads a signal may reach one of them,
    and then nothing wakes the main thread to run a handler.
    """
    stop = threading.Event()
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)

    def listen() -> None:
        os.read(heard, 1)
        stop.set()
        os.read(heard, 1)
        os._exit(1)

    threading.Thread(target=listen, daemon=True).start()
    return stop


def _tell(state: int, **facts: object) -> None:
    """Write what others may know of this process; in place, for the lock is on the file."""
    text = json.dumps(facts).encode()
    os.pwrite(state, text, 0)
    os.ftruncate(state, len(text))


def _check_version(path: Path) -> None:
    """Refuse files of a newer chDB, which this one may misread; note who writes now."""
    with suppress(FileNotFoundError):
        if _numbers(written := path.read_text().strip()) > _numbers(chdb.__version__):
            raise RuntimeError(
                f"the files were written by chDB {written}, and {chdb.__version__} is installed: "
                f"install the newer one, or move {path.parent.absolute()} away and start afresh"
            )
    path.write_text(f"{chdb.__version__}\n")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


if __name__ == "__main__":
    try:
        serve(Path(sys.argv[1]))
    except Exception as error:  # noqa: BLE001 - whatever it is, the starter must hear of it
        _log.exception("could not start")
        # chDB's own text begins behind two others that say nothing.
        text = " ".join(str(error).split())
        say(f"failed {text[max(text.find('Code: '), 0) :] or type(error).__name__}")
        os._exit(1)
