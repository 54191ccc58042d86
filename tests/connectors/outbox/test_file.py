"""The outbox's file: its owner's alone, of one process, and told apart from all others."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from connectors.outbox.file import FILE, LOCK, OutboxError, hold, open_to_read, open_to_write


def made(place: Path, account: str = "main") -> None:
    with hold(place), closing(open_to_write(place, account, 5, "OFF")):
        pass


def test_only_its_owner_may_look_into_it(tmp_path: Path) -> None:
    place = tmp_path / "outbox"
    made(place)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (place, place / FILE, place / LOCK)]
    assert modes == [0o700, 0o600, 0o600]
    (place / FILE).chmod(0o640)
    with pytest.raises(OutboxError, match="chmod 600"):
        made(place)
    place.chmod(0o750)
    with pytest.raises(OutboxError, match="chmod 700"):
        hold(place)


def test_one_process_has_it(tmp_path: Path) -> None:
    with hold(tmp_path / "outbox"), pytest.raises(OutboxError, match="another executor uses"):
        hold(tmp_path / "outbox")
    hold(tmp_path / "outbox").close()


def test_it_is_of_one_account(tmp_path: Path) -> None:
    made(tmp_path / "outbox")
    with pytest.raises(OutboxError, match="of the account main, not other"):
        made(tmp_path / "outbox", "other")


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "outbox"
    with hold(place):
        pass
    with closing(sqlite3.connect(place / FILE)) as other:
        other.execute("CREATE TABLE theirs (x)")
    (place / FILE).chmod(0o600)
    with pytest.raises(OutboxError, match="another program's"):
        made(place)


def test_another_format_is_not_touched_while_something_may_be_held(tmp_path: Path) -> None:
    place = tmp_path / "outbox"
    made(place)
    with closing(sqlite3.connect(place / FILE)) as later:
        later.execute("PRAGMA user_version = 99")
    for opened in (made, open_to_read):
        with pytest.raises(OutboxError, match="format 99, and this version knows 1"):
            opened(place)


def test_who_only_reads_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutboxError, match="there is no outbox"):
        open_to_read(tmp_path)
    assert list(tmp_path.iterdir()) == []
    made(tmp_path / "outbox")
    with (
        closing(open_to_read(tmp_path / "outbox")) as file,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        file.execute("DELETE FROM words")


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    place = tmp_path / "outbox"
    made(place)
    (place / FILE).write_bytes(b"no database at all, but long enough to be looked at " * 20)
    with pytest.raises(OutboxError, match="look at the disk"):
        made(place)
