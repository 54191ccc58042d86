"""What is told is in the market log at last, in order, whatever becomes of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from connectors.executor.troubles import Troubles
from connectors.executor.words import Words
from connectors.log.log import LogError
from connectors.outbox.file import OutboxError
from connectors.outbox.outbox import Outbox
from schemas import Command, Report
from schemas.wire import read
from tests.connectors.memory_log import MemoryLog
from tests.standin.client import until

MARKET = "binance:BTC/USDT"


class Place:
    """A log that can be away, and how often it was opened."""

    def __init__(self) -> None:
        self.log = MemoryLog(count=1)
        self.opened = 0
        self.lines: list[str] = []
        self.disk = ""
        """What is wrong with it."""

    async def durable(self) -> None:
        if self.disk:
            raise OutboxError(self.disk)

    def open(self) -> MemoryLog:
        self.opened += 1
        if self.log.broken:
            raise LogError(self.log.broken)
        return self.log

    def statuses(self) -> list[str]:
        events = [read(entry.message) for entry in self.log.entries[0]]
        return [e.status if isinstance(e, Report) else type(e).__name__ for e in events]


def put(outbox: Outbox, *statuses: str) -> None:
    with outbox.whole():
        for status in statuses:
            outbox.put_word(Report(MARKET, 0, "main", "demo", "a1", status))


def tried(
    directory: Path, check: Callable[[Outbox, Words, Place], Coroutine[None, None, None]]
) -> Place:
    place = Place()

    async def run() -> None:
        outbox = Outbox(directory, "main", lambda: 0, "OFF")
        words = Words(outbox, place.durable, place.open, Troubles(place.lines.append))
        try:
            await check(outbox, words, place)
        finally:
            await words.close()
            outbox.close()

    asyncio.run(run())
    return place


def test_reports_and_commands_are_told_in_order_each_once(tmp_path: Path) -> None:
    async def check(outbox: Outbox, words: Words, place: Place) -> None:
        put(outbox, "sent", "filled")
        with outbox.whole():
            outbox.put_word(Command(MARKET, 0, "reduce"))
        await words.tell()
        assert outbox.waiting() == 0
        put(outbox, "closed")
        await words.tell()
        await words.tell()
        assert place.opened == 1

    assert tried(tmp_path, check).statuses() == ["sent", "filled", "Command", "closed"]


def test_what_is_new_is_told_when_it_is_woken(tmp_path: Path) -> None:
    async def check(outbox: Outbox, words: Words, place: Place) -> None:
        work = asyncio.create_task(words.run())
        put(outbox, "sent")
        words.wake()
        await until(lambda: place.statuses() == ["sent"])
        work.cancel()

    tried(tmp_path, check)


def test_a_log_that_is_away_is_opened_again_and_nothing_is_lost(tmp_path: Path) -> None:
    async def check(outbox: Outbox, words: Words, place: Place) -> None:
        put(outbox, "sent")
        await words.tell()
        place.log.broken = "the disk is full"
        put(outbox, "filled")
        work = asyncio.create_task(words.run())
        await until(lambda: place.lines)
        assert outbox.waiting() == 1
        place.log.broken = ""
        await until(lambda: outbox.waiting() == 0)
        await until(lambda: len(place.lines) == 2)
        work.cancel()

    place = tried(tmp_path, check)
    assert place.statuses() == ["sent", "filled"]
    assert place.opened > 1
    assert place.lines == ["market log: the disk is full", "market log: all right again"]


def test_what_is_not_flushed_is_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(outbox: Outbox, words: Words, place: Place) -> None:
        def fail() -> None:
            raise LogError("no answer")

        put(outbox, "sent")
        with monkeypatch.context() as patch:
            patch.setattr(place.log, "flush", fail)
            with pytest.raises(LogError):
                await words.tell()
        assert outbox.waiting() == 1
        await words.tell()

    assert tried(tmp_path, check).statuses() == ["sent", "sent"]


def test_what_is_left_is_told_at_the_end(tmp_path: Path) -> None:
    async def check(outbox: Outbox, _words: Words, _place: Place) -> None:
        put(outbox, "sent")

    assert tried(tmp_path, check).statuses() == ["sent"]


def test_a_log_that_is_away_at_the_end_is_no_error_for_the_outbox_keeps_it(tmp_path: Path) -> None:
    async def check(outbox: Outbox, _words: Words, place: Place) -> None:
        place.log.broken = "away"
        put(outbox, "sent")

    assert tried(tmp_path, check).statuses() == []
    outbox = Outbox(tmp_path, "main", lambda: 0, "OFF")
    assert outbox.waiting() == 1
    outbox.close()


def test_nothing_is_told_that_is_not_durable(tmp_path: Path) -> None:
    async def check(outbox: Outbox, words: Words, place: Place) -> None:
        place.disk = "it is full"
        put(outbox, "sent")
        with pytest.raises(OutboxError):
            await words.tell()
        assert (place.statuses(), outbox.waiting()) == ([], 1)
        place.disk = ""

    tried(tmp_path, check)
