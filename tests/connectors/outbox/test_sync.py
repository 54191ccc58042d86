"""What was synced is there behind a loss of power; and the file does not grow without end."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from connectors.outbox.file import FILE, OutboxError
from connectors.outbox.outbox import Outbox, OutboxView
from connectors.outbox.sync import LOG, Sync, tidy
from schemas import Report

MARKET = "okx:A/B"


def put(outbox: Outbox, *statuses: str) -> None:
    for status in statuses:
        with outbox.whole():
            outbox.put_word(Report(MARKET, 5, "main", "demo", "a", status))


def left(place: Path, size: int, directory: Path) -> list[str]:
    """Return what is told of an outbox whose log was synced when it had a size, without power."""
    shutil.copytree(place, directory)
    with (directory / LOG).open("r+b") as log:
        log.truncate(size)
    with closing(Outbox(directory, "main")) as outbox:
        return [event.status for _, event in outbox.unpublished() if isinstance(event, Report)]


def test_what_was_kept_before_a_sync_survives_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, sizes = tmp_path / "outbox", []

    def synced(_number: int) -> None:
        sizes.append((place / LOG).stat().st_size)

    monkeypatch.setattr("connectors.outbox.sync._sync", synced)
    with closing(Outbox(place, "main")) as outbox:
        put(outbox, "sent", "acknowledged")
        outbox.sync()
        put(outbox, "filled")
        assert left(place, sizes[0], tmp_path / "at first") == []
        assert left(place, sizes[1], tmp_path / "behind a sync") == ["sent", "acknowledged"]
        assert left(place, sizes[1] + 999, tmp_path / "torn") == ["sent", "acknowledged"]
        assert left(place, 1 << 30, tmp_path / "all") == ["sent", "acknowledged", "filled"]


def test_a_commit_syncs_nothing_and_a_sync_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("connectors.outbox.sync._sync", synced.append)
    with closing(Outbox(tmp_path / "outbox", "main")) as outbox:
        (row,) = outbox._rows("PRAGMA synchronous")
        assert [*map(int, row)] == [1]  # only what tidies syncs
        before = len(synced)
        put(outbox, *["sent"] * 20)
        assert len(synced) == before
        outbox.sync()
        assert len(synced) == before + 1


def test_its_log_begins_anew_when_it_was_tidied(tmp_path: Path) -> None:
    place, size = tmp_path / "outbox", 0
    with closing(Outbox(place, "main")) as outbox:
        for _ in range(5):
            put(outbox, *["sent"] * 50)
            size = (place / LOG).stat().st_size
            tidy(place)
        put(outbox, "closed")
        assert (place / LOG).stat().st_size == size
        assert size < 2 * (place / FILE).stat().st_size + (1 << 20)
        with closing(OutboxView(place)) as view:
            assert view.waiting() == 251


def test_what_the_disk_does_not_take_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    with closing(Outbox(tmp_path / "outbox", "main")) as outbox:
        monkeypatch.setattr("connectors.outbox.sync._sync", full)
        with pytest.raises(OutboxError, match="the disk is full"):
            outbox.sync()


def test_there_must_be_an_outbox(tmp_path: Path) -> None:
    with pytest.raises(OutboxError):
        Sync(tmp_path)
