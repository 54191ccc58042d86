"""What history keeps of a log from before the log begins: retention took it from there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from connectors.history.clickhouse import Connect
from connectors.history.source import HistorySource
from connectors.log.log import LogError
from connectors.log.offsets import Chunk, start
from connectors.window import Window


class Earlier:
    """A log's past, with the offsets that it had there, so that the log goes on where it ends.

    Parameters
    ----------
    connect
        Returns a client that may read.
    log
        The name of the log.
    window
        What of it is let through.

    """

    def __init__(self, connect: Connect, log: str, window: Window) -> None:
        self._connect, self._log, self._window = connect, log, window

    def first(self, part: str, stop: int) -> int | None:
        """Return the offset from which on it has a part up to `stop`; None if it has not."""
        try:
            bounds = self._source.bounds(part)
        except LogError:  # it may be away, or know nothing of these markets: the log is enough
            return None
        whole = bounds is not None and self._source.reaches(part, stop)
        return bounds.first if bounds is not None and whole and bounds.first < stop else None

    def chunks(self, part: str, first: int, stop: int, texts: Iterable[str]) -> Iterator[Chunk]:
        """Yield a part from an offset up to another.

        Raises
        ------
        LogError
            When history cannot be read.

        """
        state = start(first, stop)
        state["texts"] = [*texts]
        return self._source.chunks(part, state)

    @cached_property
    def _source(self) -> HistorySource:
        return HistorySource(self._connect, self._log, window=self._window)
