"""Follows the end of a log for markets that somebody looks at, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from connectors.log.log import Cursor, Log, LogError, partition_of
from connectors.log.messages import said
from infra.page.forming import Latest

_MESSAGES = 500
_TOO_FAR = 20_000
"""Messages behind the end, from which on the rest is left out: the page shows the present."""
_WAIT_SECONDS = 0.1
_AGAIN_SECONDS = 2.0


class Tail:
    """The end of a log, until it is closed.

    Parameters
    ----------
    open_log
        Opens it.

    """

    def __init__(self, open_log: Callable[[], Log]) -> None:
        self._open = open_log
        self._watched: dict[str, list[Latest]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page tail", daemon=True)
        self.trouble: str | None = None
        """Why it cannot be read, if it cannot."""
        self.read = 0
        """Messages so far."""

    def start(self) -> None:
        """Follow it from now on."""
        self._thread.start()

    def watch(self, latest: Latest) -> None:
        """Let a market's latest know what comes."""
        with self._lock:
            self._watched.setdefault(latest.market, []).append(latest)

    def forget(self, latest: Latest) -> bool:
        """Let it know no more; whether nobody is left."""
        with self._lock:
            rest = [one for one in self._watched.pop(latest.market, []) if one is not latest]
            if rest:
                self._watched[latest.market] = rest
            return not self._watched

    def close(self) -> None:
        """Follow it no more."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                with closing(self._open()) as log:
                    self.trouble = None
                    self._follow(log)
            except LogError as error:
                self.trouble = str(error)
                self._over.wait(_AGAIN_SECONDS)

    def _follow(self, log: Log) -> None:
        partitions, cursors = log.partitions(), dict[str, Cursor]()
        try:
            while not self._over.is_set():
                with self._lock:
                    names = {partitions[partition_of(m, len(partitions))] for m in self._watched}
                for name in names - cursors.keys():
                    cursors[name] = log.open(name, log.bounds(name).end)
                for name in cursors.keys() - names:
                    cursors.pop(name).close()
                came = [self._take(name, cursor) for name, cursor in cursors.items()]
                for name, count in zip(list(cursors), came, strict=True):
                    if count == _MESSAGES and cursors[name].lag() > _TOO_FAR:
                        cursors.pop(name).close()  # it is opened anew at the end
                        self._lose()
                if not any(came):
                    self._over.wait(_WAIT_SECONDS)
        finally:
            for cursor in cursors.values():
                cursor.close()

    def _take(self, partition: str, cursor: Cursor) -> int:
        entries = cursor.read(_MESSAGES)
        self.read += len(entries)
        for entry in entries:
            with self._lock:
                watched = self._watched.get(entry.market, ())
            if watched:
                event = said(entry, partition).event
                for latest in watched:
                    latest.take(event)
        return len(entries)

    def _lose(self) -> None:
        with self._lock:
            for watched in self._watched.values():
                for latest in watched:
                    latest.lose()
