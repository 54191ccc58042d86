"""Work at an exchange: in order in each market, and no market waits for another."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from connectors.blotter.actions import Action, Cancel, Send


class Lanes:
    """Does actions, those of one market one behind the other.

    A question that waits already is not asked twice.

    Parameters
    ----------
    do
        Does one.
    fail
        Takes an error that nobody expected.

    """

    def __init__(
        self, do: Callable[[Action], Awaitable[None]], fail: Callable[[BaseException], None]
    ) -> None:
        self._do, self._fail = do, fail
        self._waiting: dict[str, deque[Action]] = {}
        self._doing: dict[str, asyncio.Task[None]] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, actions: Iterable[Action]) -> None:
        """Do these behind what waits in their markets."""
        for action in actions:
            lane = self._waiting.setdefault(action.market, deque())
            if isinstance(action, (Send, Cancel)) or action not in lane:
                lane.append(action)
            if action.market not in self._doing:
                self._idle.clear()
                task = asyncio.get_running_loop().create_task(self._work(action.market, lane))
                self._doing[action.market] = task

    async def idle(self) -> None:
        """Return when nothing waits."""
        await self._idle.wait()

    async def stop(self) -> None:
        """Drop what waits, and break off what is under way."""
        self._waiting.clear()
        tasks = [*self._doing.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, market: str, lane: deque[Action]) -> None:
        try:
            while lane:
                await self._do(lane.popleft())
        except Exception as error:  # noqa: BLE001 - a bug: it ends the process, told in one place
            self._fail(error)
        finally:
            del self._doing[market]
            if not self._doing:
                self._idle.set()
