"""An asyncio loop in a thread of its own, which other threads may ask to do something."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import TypeVar

T = TypeVar("T")

_PATIENCE = 60.0


class LoopThread:
    """Runs one coroutine, from `start` until `stop`.

    Parameters
    ----------
    main
        Is given what to call when it is up, and an event that says when to end.

    """

    def __init__(
        self, main: Callable[[Callable[[], None], asyncio.Event], Coroutine[object, object, None]]
    ) -> None:
        self._main = main
        self._thread = threading.Thread(target=self._run, name="stand-in")
        self._up = threading.Event()
        self._end = asyncio.Event()
        self._error: Exception | None = None

    def start(self) -> None:
        """Return when the coroutine says that it is up."""
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        self._up.wait(_PATIENCE)
        if self._error is not None:
            self._thread.join()
            raise self._error

    def stop(self) -> None:
        """Return when the coroutine has ended."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in the loop, and return what it returns."""
        if threading.current_thread() is self._thread or not self._thread.is_alive():
            return function()

        async def run() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(_PATIENCE)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._main(self._up.set, self._end))
        except Exception as error:  # noqa: BLE001 - it is raised again where it is waited for
            self._error = error
        finally:
            self._loop.run_until_complete(_leave_nothing_behind())
            self._loop.close()
            self._up.set()


async def _leave_nothing_behind() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
