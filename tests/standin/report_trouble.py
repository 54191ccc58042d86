"""How private streams misbehave on command; what happened is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from tests.standin.connection import Connection

PRIVATE = "private:"
"""How the topics of private streams begin."""


class ReportTrouble:
    """Orders to misbehave; each may be given from any thread, and is for the next reports.

    Parameters
    ----------
    call
        Runs something in the exchange's loop, and returns what it returned.
    connections
        The exchange's clients.
    drop
        Starts closing a connection.

    """

    def __init__(
        self,
        call: Callable[[Callable[[], object]], object],
        connections: set[Connection],
        drop: Callable[[Connection], None],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.silent = False
        """Whether no report is sent, though the connections stay open."""
        self._pending: Counter[str] = Counter()
        self._held: list[bytes] = []
        self._call, self._connections, self._drop = call, connections, drop

    def repeat(self, count: int = 1) -> None:
        """Send each of the next reports twice."""
        self._add("repeated", count)

    def reorder(self, count: int = 2) -> None:
        """Send the next reports in reverse."""
        self._add("reordered", count)

    def skip(self, count: int = 1) -> None:
        """Send the next reports to no one."""
        self._add("skipped", count)

    def rest(self) -> None:
        """Misbehave no more, but for a silence."""
        self._call(self._pending.clear)

    def silence(self, on: bool = True) -> None:
        """Send no reports at all any more, or again."""
        self._call(lambda: setattr(self, "silent", on))

    def cut(self) -> None:
        """Close the connections of private streams, with a close frame."""

        def cut() -> None:
            for connection in [*self._connections]:
                if any(topic.startswith(PRIVATE) for topic in connection.topics):
                    self.counts["cut"] += 1
                    self._drop(connection)

        self._call(cut)

    def bend(self, message: bytes) -> Iterator[bytes]:
        """Yield what is sent in place of a report."""
        if self.silent:
            self.counts["silenced"] += 1
            return
        if self._due("skipped"):
            return
        if self._due("reordered"):
            self._held.append(message)
            if not self._pending["reordered"]:
                yield from reversed(self._held)
                self._held.clear()
            return
        yield message
        if self._due("repeated"):
            yield message

    def _due(self, what: str) -> bool:
        if self._pending[what] <= 0:
            return False
        self._pending[what] -= 1
        self.counts[what] += 1
        return True

    def _add(self, what: str, count: int) -> None:
        self._call(lambda: self._pending.update({what: count}))
