"""What an exchange's thread hands over, bounded."""

from __future__ import annotations

import threading

from connectors.recordings.tracks import Item
from schemas import Event, Trades

ROOM = 200_000
"""How many trades and other events wait for a slow consumer, at most."""


class Outbox:
    """Strips from one thread to another.

    Whoever puts looks at `full` first: a socket cannot be told to wait, so what does not fit is
    not taken in, and the hole is marked where it begins.

    Examples
    --------
    >>> box = Outbox(room=1)
    >>> box.put("m", [])
    >>> box.put("m", [Trades.of("m", [1], [2.0], [3.0])])
    >>> box.full, len(box.drain()), box.full
    (True, 1, False)

    """

    def __init__(self, room: int = ROOM) -> None:
        self.room = room
        self._items: list[Item] = []
        self._size = 0
        self._filled = threading.Condition()
        self._error: BaseException | None = None

    @property
    def full(self) -> bool:
        """Whether no more should be put."""
        return self._size >= self.room

    def put(self, market: str, strip: list[Event]) -> None:
        """Hand over what comes next on a market's tape."""
        if not strip:
            return
        size = sum(len(event) if isinstance(event, Trades) else 1 for event in strip)
        with self._filled:
            self._items.append((market, strip))
            self._size += size
            self._filled.notify_all()

    def fail(self, error: BaseException) -> None:
        """Hand over what went wrong: it is raised behind all that was put."""
        with self._filled:
            self._error = self._error or error
            self._filled.notify_all()

    def drain(self) -> list[Item]:
        """Return all that was put, without waiting."""
        with self._filled:
            items, self._items, self._size = self._items, [], 0
            if not items and self._error is not None:
                raise self._error
            return items

    def wait(self, timeout: float) -> bool:
        """Return whether there is something to drain, at the latest after `timeout` seconds."""
        with self._filled:
            return self._filled.wait_for(self._ready, timeout)

    def _ready(self) -> bool:
        return bool(self._items) or self._error is not None
