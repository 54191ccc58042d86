"""What an executor tells: from its outbox into the market log, at least once and in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeAlias

from connectors.exchange.delays import Delays
from connectors.executor.troubles import Troubles
from connectors.log.log import Appender, LogError
from connectors.outbox.outbox import Outbox
from schemas import Command, Report
from schemas.wire import encode

_WHAT = "market log"
_AT_ONCE = 500
Hear: TypeAlias = Callable[["Report | Command"], None]


def nobody(event: Report | Command) -> None:
    """Hear nothing."""


class Words:
    """Publishes the reports and commands of an outbox.

    Parameters
    ----------
    outbox
        Numbers them, and keeps each until it is known to be in the log.
    durable
        Returns when all that is kept there is durable.
    appender
        Opens the log, anew behind an error.
    troubles
        Takes what is wrong with the log.
    hear
        Is told, in a thread, of each that is in the log.

    """

    def __init__(
        self,
        outbox: Outbox,
        durable: Callable[[], Awaitable[None]],
        appender: Callable[[], Appender],
        troubles: Troubles,
        hear: Hear = nobody,
    ) -> None:
        self._outbox, self._durable = outbox, durable
        self._open, self._troubles, self._hear = appender, troubles, hear
        self._appender: Appender | None = None
        self._thread = ThreadPoolExecutor(1, "executor words")  # an appender is for one thread
        self._there = asyncio.Event()
        self._there.set()

    def wake(self) -> None:
        """Look what is to be told."""
        self._there.set()

    async def run(self) -> None:
        """Tell what there is until cancelled, whatever becomes of the log."""
        delays = Delays()
        while True:
            await self._there.wait()
            self._there.clear()
            try:
                await self.tell()
            except LogError as error:
                self._troubles.begin(_WHAT, str(error))
                await asyncio.sleep(delays.next(time.monotonic()))
                self._there.set()
            else:
                self._troubles.end(_WHAT)

    async def tell(self) -> None:
        """Return when all that there is to tell is in the log.

        Raises
        ------
        LogError
            When it cannot be written.

        """
        while words := self._outbox.unpublished(_AT_ONCE):
            await self._durable()
            work = self._thread.submit(self._append, [event for _, event in words])
            await asyncio.wrap_future(work)
            self._outbox.published(words[-1][0])

    async def close(self) -> None:
        """Tell what is left, if that can be done, and give back what it holds."""
        with suppress(LogError):  # it is in the outbox
            await self.tell()
        await asyncio.wrap_future(self._thread.submit(self._drop))
        self._thread.shutdown()

    def _append(self, events: Sequence[Report | Command]) -> None:
        try:
            if self._appender is None:
                self._appender = self._open()
            for event in events:
                self._appender.append(event.market, encode(event))
            self._appender.flush()
        except LogError:
            self._drop()
            raise
        for event in events:
            self._hear(event)

    def _drop(self) -> None:
        appender, self._appender = self._appender, None
        if appender is not None:
            with suppress(LogError):  # what was not taken is handed over again
                appender.close()
