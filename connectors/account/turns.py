"""Who may ask an exchange next: what an order needs goes before what is only looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PATIENCE = 1.0
"""So many seconds a query lets orders go first, at most: a doubt must be settled, too."""
QUERIES = 3
"""So many queries at most wait for the client's rate limit, in front of the next order."""


class Turns:
    """Orders at once; queries a few at a time, when no order is under way.

    Examples
    --------
    >>> async def tried() -> str:
    ...     turns, said = Turns(), []
    ...     async def query() -> None:
    ...         async with turns.query():
    ...             said.append("query")
    ...     async with turns.order():
    ...         task = asyncio.ensure_future(query())
    ...         await asyncio.sleep(0)
    ...         said.append("order")
    ...     await task
    ...     return " ".join(said)
    >>> asyncio.run(tried())
    'order query'

    """

    def __init__(self) -> None:
        self._orders = 0
        self._free = asyncio.Event()
        self._free.set()
        self._few = asyncio.Semaphore(QUERIES)

    @asynccontextmanager
    async def order(self) -> AsyncIterator[None]:
        """Ask for something that orders wait for."""
        self._orders += 1
        self._free.clear()
        try:
            yield
        finally:
            self._orders -= 1
            if not self._orders:
                self._free.set()

    @asynccontextmanager
    async def query(self) -> AsyncIterator[None]:
        """Ask for anything else."""
        async with self._few:
            if self._orders:
                waiting = asyncio.ensure_future(self._free.wait())
                await asyncio.wait({waiting}, timeout=PATIENCE)
                waiting.cancel()
            yield
