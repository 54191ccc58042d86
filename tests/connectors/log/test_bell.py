"""Who waits for a log hears of what is written to it, also by the next writer."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

from connectors.log.bell import Bell
from connectors.log.client import LogClient
from connectors.log.sqlite_log import SqliteLog
from tests.connectors.log_contract import DEADLINE
from tests.connectors.log_rig import served

LONG = 2 * DEADLINE


def heard(bell: Bell, directory: Path, message: bytes) -> bool:
    """Tell whether the bell lets one who looks in between find a message in time."""

    def look() -> None:
        while message not in everything(directory):
            bell.wait(LONG)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    with closing(LogClient(directory)) as client:
        client.append("sim:A", message)
    looking.join(DEADLINE)
    return not looking.is_alive()


def everything(directory: Path) -> list[bytes]:
    with closing(SqliteLog(directory)) as log:
        found = []
        for part in log.partitions():
            with closing(log.open(part, 0)) as cursor:
                found += [entry.message for entry in cursor.read(1_000)]
        return found


def test_it_rings_behind_each_commit_of_any_client(tmp_path: Path) -> None:
    with served(tmp_path / "log"), closing(Bell(tmp_path / "log")) as bell:
        assert all(heard(bell, tmp_path / "log", b"%d" % n) for n in range(20))


def test_it_rings_again_when_another_writer_has_come(tmp_path: Path) -> None:
    directory = tmp_path / "log"
    with closing(Bell(directory)) as bell:
        for life in range(3):
            with served(directory):
                assert heard(bell, directory, b"%d" % life)


def test_without_a_writer_it_lets_one_look_soon(tmp_path: Path) -> None:
    with closing(Bell(tmp_path)) as bell:
        bell.wait(LONG)
        bell.wait(LONG)


def test_who_does_not_hear_holds_up_no_writer(tmp_path: Path) -> None:
    directory = tmp_path / "log"
    with served(directory), closing(Bell(directory)) as bell:
        bell.wait(LONG)
        with closing(LogClient(directory)) as client:
            for number in range(600):
                client.append("sim:A", b"%d" % number)
                client.flush()
        assert heard(bell, directory, b"at last")
