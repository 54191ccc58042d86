"""When what an executor has kept is durable: its loop goes on meanwhile, and many share a sync."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from connectors.outbox.outbox import Outbox


class Syncs:
    """Syncs an outbox in a thread, once for all that wait.

    Parameters
    ----------
    outbox
        What is kept.

    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._durable = outbox.changes
        self._tidied = outbox.changes
        self._thread = ThreadPoolExecutor(1, "executor sync")
        self._under_way: asyncio.Future[None] | None = None

    async def done(self) -> None:
        """Return when all that is kept by now is durable.

        Raises
        ------
        OutboxError
            When the disk does not take it.

        """
        kept = self._outbox.changes
        while self._durable < kept:
            if self._under_way is None:
                self._under_way = asyncio.ensure_future(self._sync())
            await asyncio.shield(self._under_way)

    async def tidy(self) -> None:
        """Keep the outbox's file small; nobody waits for that."""
        if self._tidied < self._outbox.changes:
            self._tidied = self._outbox.changes
            await asyncio.to_thread(self._outbox.tidy)

    def close(self) -> None:
        """Give back what it holds."""
        self._thread.shutdown()

    async def _sync(self) -> None:
        kept = self._outbox.changes
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._outbox.sync)
            self._durable = kept
        finally:
            self._under_way = None
