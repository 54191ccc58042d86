"""The way into history: the server that answers is stood in for by what the client would raise."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import cast

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from connectors.history.clickhouse import History, Mover, move
from connectors.history.journal import Journal, waiting
from schemas import Halt
from schemas.tables import Record

ROWS = pa.RecordBatch.from_pylist([{"x": 1}])


class Door:
    """A client that takes blocks, refuses those of some tables, or does not answer."""

    def __init__(self, refused: str = "", answers: bool = True) -> None:
        self.refused, self.answers = refused, answers
        self.taken: Counter[str] = Counter()
        self.came = threading.Event()

    def insert_arrow(self, table: str, rows: pa.Table) -> None:
        self.came.set()
        if not self.answers:
            raise OperationalError("nobody is there")
        if table == self.refused:
            raise DatabaseError("no such table")
        self.taken[table] += rows.num_rows

    def __call__(self) -> Client:
        return cast("Client", self)


def journal(place: Path, *tables: str) -> Journal:
    kept = Journal(place)
    for table in tables:
        kept.append(table, ROWS)
    return kept


def names(place: Path) -> list[str]:
    return [entry.table for entry in waiting(place)]


def test_what_is_refused_stays_and_stops_nothing_behind_it(tmp_path: Path) -> None:
    door, kept = Door(refused="bad"), journal(tmp_path, "good", "bad", "better")
    mover = Mover(door, kept)
    mover.start()
    mover.finish()
    assert door.taken == {"good": 1, "better": 1}
    assert names(tmp_path) == ["bad"]
    assert mover.trouble == "a block of rows is refused: bad: no such table"


def test_what_nobody_answers_to_stays(tmp_path: Path) -> None:
    door, kept = Door(answers=False), journal(tmp_path, "one", "two")
    mover = Mover(door, kept)
    mover.start()
    mover.finish()
    assert names(tmp_path) == ["one", "two"]
    assert mover.trouble == "nobody is there"


def test_rows_go_in_when_the_server_comes_back(tmp_path: Path) -> None:
    door, kept = Door(answers=False), journal(tmp_path, "one")
    mover = Mover(door, kept)
    mover.start()
    assert door.came.wait(10)
    door.answers = True
    kept.append("two", ROWS)
    mover.look()
    mover.finish()
    assert door.taken == {"one": 1, "two": 1}
    assert mover.trouble is None


def test_a_block_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    journal(tmp_path, "torn", "good")
    torn = next(iter(waiting(tmp_path))).path
    torn.write_bytes(torn.read_bytes()[:20])
    door = Door()
    found = {entry.table: why for entry, why in move(door(), waiting(tmp_path))}
    assert found["good"] is None
    assert found["torn"] is not None
    assert door.taken == {"good": 1}


def test_nothing_that_was_written_before_the_end_is_left_behind(tmp_path: Path) -> None:
    for number in range(200):
        place = tmp_path / str(number)
        door = Door()
        history = History(door, Journal(place), "flow", "run")
        history.resume(None)
        history.write([Record(0, Halt("m:A", 1, "halted", "me"))])
        history.close()
        assert not names(place)
        assert door.taken == {"halts": 1}
        assert history.mover.trouble is None


def test_a_block_that_comes_while_the_last_but_one_goes_in_is_seen(tmp_path: Path) -> None:
    gate = threading.Event()

    class Slow(Door):
        def insert_arrow(self, table: str, rows: pa.Table) -> None:
            super().insert_arrow(table, rows)
            assert gate.wait(10)

    door, kept = Slow(), journal(tmp_path, "one")
    mover = Mover(door, kept)
    mover.start()
    assert door.came.wait(10)
    kept.append("two", ROWS)
    finishing = threading.Thread(target=mover.finish)
    finishing.start()
    assert mover._ending.wait(10)
    gate.set()
    finishing.join()
    assert door.taken == {"one": 1, "two": 1}
