"""One who looks at the page: what is to be told yet, the newest of each kind only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Lock

Told = tuple[str, bytes]
"""An event's name, and its JSON."""


class Viewer:
    """Keeps what one browser has to be told, however slowly it reads: of each kind the newest.

    Parameters
    ----------
    loop
        In which it is told.

    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._event, self._lock = loop, asyncio.Event(), Lock()
        self._pending: dict[str, bytes] = {}
        self.fresh: Callable[[], Told | None] | None = None
        """Returns candles that were not told yet, if there are any."""
        self.dropped = 0
        """So many were never told, for newer ones came."""

    def put(self, name: str, body: bytes) -> None:
        """Have something told; from any thread."""
        with self._lock:
            self.dropped += name in self._pending
            self._pending[name] = body
        self.wake()

    def wake(self) -> None:
        """Have it look for what is fresh; from any thread."""
        with suppress(RuntimeError):  # the loop is closed: so is the page
            self._loop.call_soon_threadsafe(self._event.set)

    async def take(self, seconds: float) -> list[Told]:
        """Return what is to be told, as soon as there is something; nothing in so many seconds."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)
        self._event.clear()
        with self._lock:
            told, self._pending = list(self._pending.items()), {}
        candles = self.fresh() if self.fresh is not None else None
        return [*told, candles] if candles is not None else told
