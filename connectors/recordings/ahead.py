"""Let a thread work a little ahead, so that reading and computing overlap."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Generator
from contextlib import suppress
from queue import Empty, Queue
from typing import Generic, TypeVar

X = TypeVar("X")


class _End:
    """Stands behind the last item, with what ended it."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Ahead(Generic[X]):
    """An iterator whose items are made by a thread, at most `depth` ahead.

    What goes wrong there is raised here, in its place.

    Examples
    --------
    >>> list(Ahead(n * n for n in range(4)))
    [0, 1, 4, 9]

    """

    def __init__(self, items: Generator[X, None, None], depth: int = 2) -> None:
        self._queue: Queue[X | _End] = Queue(depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=_make, args=(items, self._queue, self._stop), name="ahead", daemon=True
        )
        # It must not be inside a library when the interpreter goes.
        self.close = weakref.finalize(self, _stop, self._queue, self._stop, self._thread)
        self._thread.start()

    def __iter__(self) -> Ahead[X]:
        return self

    def __next__(self) -> X:
        item = self._queue.get()
        if not isinstance(item, _End):
            return item
        self._queue.put(item)  # the end stays
        if item.error is None:
            raise StopIteration
        raise item.error


def _make(items: Generator[X, None, None], queue: Queue[X | _End], stop: threading.Event) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            if stop.is_set():
                break
            queue.put(item)
    except BaseException as raised:  # noqa: BLE001 - whoever reads raises it again
        error = raised
    finally:
        items.close()
    queue.put(_End(error))


def _stop(queue: Queue[X | _End], stop: threading.Event, thread: threading.Thread) -> None:
    stop.set()
    while thread.is_alive():
        with suppress(Empty):  # make room, else it waits for ever
            queue.get_nowait()
        thread.join(0.01)
