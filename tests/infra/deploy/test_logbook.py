"""What a deployment says: rotated, as text or JSON, without secrets, and read again."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from threading import Thread

import pytest

from connectors.scrub import keep_secret
from infra.deploy import logbook


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "logs" / "flow.log"
    book = logging.getLogger("tapedeck.deploy.demo")
    for handler in book.handlers.copy():
        handler.close()
        book.removeHandler(handler)


@pytest.mark.parametrize("form", ["", "json"])
def test_a_line_has_its_time_and_no_secret(path: Path, form: str) -> None:
    keep_secret("verysecretkey")
    book = logbook.open_book(path, "demo", environment={"TAPEDECK_LOG": form})
    book.warning("key verysecretkey at %s", "https://me:word@host")
    [line] = logbook.last(path, 10)
    assert "verysecretkey" not in line
    assert "me:word" not in line
    if form:
        told = json.loads(line)
        assert (told["level"], told["flow"]) == ("warning", "demo")
        assert told["ts"].endswith("Z")
    else:
        assert " warning key <hidden> at https://host" in line
    assert path.parent.stat().st_mode & 0o077 == 0


def test_what_was_said_before_a_new_file_began_is_still_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logbook, "BYTES", 300)
    book = logbook.open_book(path, "demo", environment={})
    for number in range(200):
        book.info("line %s", number)
    assert [line.rsplit(" ", 1)[1] for line in logbook.last(path, 9)] == list(
        map(str, range(191, 200))
    )
    assert len(list(path.parent.iterdir())) == 1 + logbook.OLD


def test_who_follows_reads_on_in_a_new_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logbook, "BYTES", 300)
    book = logbook.open_book(path, "demo", environment={})
    book.info("old")
    seen: list[str] = []

    def read() -> None:
        with closing(logbook.follow(path)) as lines:
            seen.extend(islice(lines, 3))

    reader = Thread(target=read, daemon=True)
    reader.start()
    number = 0
    while reader.is_alive():  # one that comes while it looks is as good as any
        number += 1
        book.info("new %s", number)
        reader.join(0.05)
    assert len(seen) == 3
    assert all(" new " in line for line in seen)
