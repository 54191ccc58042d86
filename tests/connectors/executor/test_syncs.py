"""Many share a sync, none goes on before its own was done, and the loop does not wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import cast

import pytest

from connectors.executor.syncs import Syncs
from connectors.outbox.file import OutboxError
from connectors.outbox.outbox import Outbox
from tests.standin.client import until


class Disk:
    """An outbox whose syncs end when they are let."""

    def __init__(self) -> None:
        self.changes = 0
        self.synced: list[int] = []
        """How many changes were there when a sync began."""
        self.tidied = 0
        self.trouble = ""
        self.free = threading.Event()

    def sync(self) -> None:
        self.synced.append(self.changes)
        assert self.free.wait(30)
        if self.trouble:
            raise OutboxError(self.trouble)

    def tidy(self) -> None:
        self.tidied += 1


def tried(check: Callable[[Disk, Syncs], Coroutine[None, None, None]]) -> None:
    async def run() -> None:
        disk = Disk()
        syncs = Syncs(cast("Outbox", disk))
        try:
            await check(disk, syncs)
        finally:
            disk.free.set()
            syncs.close()

    asyncio.run(run())


async def begun(disk: Disk, count: int) -> None:
    """Return when so many syncs have begun."""
    await until(lambda: len(disk.synced) == count)


def test_where_nothing_was_kept_nobody_waits() -> None:
    async def check(disk: Disk, syncs: Syncs) -> None:
        await syncs.done()
        assert disk.synced == []

    tried(check)


def test_those_that_come_during_a_sync_share_the_next() -> None:
    async def check(disk: Disk, syncs: Syncs) -> None:
        disk.changes = 1
        waiting = [asyncio.create_task(syncs.done())]
        await begun(disk, 1)
        for disk.changes in range(2, 7):
            waiting.append(asyncio.create_task(syncs.done()))
            await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        disk.free.set()
        await asyncio.gather(*waiting)
        assert disk.synced == [1, 6]
        await syncs.done()
        assert disk.synced == [1, 6]

    tried(check)


def test_a_sync_that_began_before_something_was_kept_is_not_enough_for_it() -> None:
    async def check(disk: Disk, syncs: Syncs) -> None:
        disk.changes = 1
        first = asyncio.create_task(syncs.done())
        await begun(disk, 1)
        disk.changes = 2
        disk.free.set()
        await syncs.done()
        await first
        assert disk.synced == [1, 2]

    tried(check)


def test_who_waits_hears_what_is_wrong_with_the_disk() -> None:
    async def check(disk: Disk, syncs: Syncs) -> None:
        disk.changes, disk.trouble = 1, "the disk is full"
        disk.free.set()
        found = await asyncio.gather(syncs.done(), syncs.done(), return_exceptions=True)
        assert [str(error) for error in found] == ["the disk is full"] * 2

    tried(check)


def test_who_gives_up_waiting_takes_the_sync_from_nobody() -> None:
    async def check(disk: Disk, syncs: Syncs) -> None:
        disk.changes = 1
        first, second = (asyncio.create_task(syncs.done()) for _ in range(2))
        await begun(disk, 1)
        first.cancel()
        disk.free.set()
        await second
        with pytest.raises(asyncio.CancelledError):
            await first

    tried(check)


def test_it_is_tidied_only_when_something_was_kept() -> None:
    async def check(disk: Disk, syncs: Syncs) -> None:
        await syncs.tidy()
        assert disk.tidied == 0
        disk.changes = 1
        await syncs.tidy()
        await syncs.tidy()
        assert disk.tidied == 1

    tried(check)
