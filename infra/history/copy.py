"""Copies of the embedded history: written by the server that owns it, read back where none runs."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import chdb

from infra.history.history import History
from infra.history.home import COPY, DATA, DATABASE, VERSION, HistoryError

_SECONDS = 4 * 3600.0


def copy(history: History, where: Path) -> None:
    """Have the server copy all tables, as they are now, into a directory that is not there yet.

    Raises
    ------
    HistoryError
        When it cannot be done, such as on a full disk.

    """
    history.start()
    running = history.home.running()
    port = None if running is None else running.port
    if port is None:
        raise HistoryError("history is not running: deck history start")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    owner = {"X-ClickHouse-User": "owner", "X-ClickHouse-Key": history.home.password("owner")}
    try:
        connection.request("POST", f"{COPY}?{urlencode({'query': str(where)})}", headers=owner)
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        raise HistoryError(f"history does not answer: {error}; try again") from error
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise HistoryError(f"history cannot be copied to {where}: {said}")


def put_back(copied: Path, home: Path) -> None:
    """Make the files of a history from a copy, in a directory that holds none yet.

    Raises
    ------
    HistoryError
        When the copy cannot be read.

    """
    home.mkdir(mode=0o700, parents=True)
    # In a process of its own: an embedded ClickHouse stays in the one it was opened in.
    line = [sys.executable, "-m", "infra.history.copy", str(copied), str(home)]
    done = subprocess.run(  # noqa: S603 - our own program
        line, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise HistoryError(f"{copied} cannot be read back: {last}")


def _put_back(copied: Path, home: Path) -> None:
    os.chdir(home)
    os.umask(0o077)
    Path(VERSION).write_text(f"{chdb.__version__}\n")
    settings = Path("restoring.xml")
    settings.write_text(
        "<clickhouse><backups><allowed_path>/</allowed_path></backups></clickhouse>\n"
    )
    connection = chdb.connect(f"{DATA}?config-file={settings}&log-level=none")
    quoted = str(copied).replace("\\", "\\\\").replace("'", "\\'")
    connection.query(f"RESTORE DATABASE {DATABASE} FROM File('{quoted}')", "Null")
    connection.close()
    settings.unlink()


if __name__ == "__main__":
    _put_back(Path(sys.argv[1]), Path(sys.argv[2]))
