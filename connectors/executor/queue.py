"""Reads what is asked of an account, in a thread of its own, as soon as it is in the queue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from typing import TypeAlias

from connectors.executor.order_queue import Alive, Ask, ask_of
from connectors.log.log import Cursor, Log, LostError, partition_of
from schemas import Position, Reject

Hand: TypeAlias = Callable[[Ask | Reject, Position], None]

_AT_ONCE = 100
_IDLE_SECONDS = 0.1
"""How long it waits at most where its account's messages come, before it looks everywhere."""


class QueueReader:
    """Reads the messages of one account from a queue that may hold those of others.

    Of a flow's signs of life that wait, only the newest is handed over.

    Parameters
    ----------
    queue
        The order queue.
    account
        Whose messages are wanted.
    offsets
        Where to read on, by partition; others are read from their beginning.
    hand
        Takes each message with its place, in the thread; it may wait.
    lost
        Takes what is said of messages that the queue does not keep any more.
    fail
        Takes the error that ended the thread.

    """

    def __init__(
        self,
        queue: Log,
        account: str,
        offsets: Mapping[str, int],
        hand: Hand,
        lost: Callable[[str], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._queue, self._account, self._offsets = queue, account, dict(offsets)
        self._hand, self._lost, self._fail = hand, lost, fail
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="order queue", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; nothing is handed over any more when this returns."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            with ExitStack() as opened:
                parts = self._queue.partitions()
                cursors = {part: self._open(opened, part) for part in parts}
                # Elsewhere it has messages only if the queue had fewer partitions once.
                home = parts.pop(partition_of(self._account, len(parts)))
                while not self._stopped.is_set():
                    if self._read(opened, cursors, home):
                        continue
                    if not any(self._read(opened, cursors, part) for part in parts):
                        cursors[home].wait(_IDLE_SECONDS)
        except Exception as error:  # noqa: BLE001 - whoever waits for messages must hear of it
            self._fail(error)

    def _open(self, opened: ExitStack, part: str) -> Cursor:
        first = self._offsets.setdefault(part, self._queue.bounds(part).first)
        return opened.enter_context(closing(self._queue.open(part, first)))

    def _read(self, opened: ExitStack, cursors: dict[str, Cursor], part: str) -> bool:
        """Hand over what comes next in a partition; whether there was something."""
        try:
            entries = cursors[part].read(_AT_ONCE)
        except LostError as error:
            self._lost(str(error))
            self._offsets[part] = self._queue.bounds(part).first
            cursors[part] = self._open(opened, part)
            return True
        asks = [
            (ask_of(entry, part), Position(part, entry.offset))
            for entry in entries
            if entry.market == self._account
        ]
        newest = {(ask.flow, ask.run): at for ask, at in asks if isinstance(ask, Alive)}
        for ask, at in asks:
            if self._stopped.is_set():
                break
            if not isinstance(ask, Alive) or newest[ask.flow, ask.run] == at:
                self._hand(ask, at)
        if entries:
            self._offsets[part] = entries[-1].offset + 1
        return bool(entries)
