"""Follow a log: its partitions, each from its own position on, as they grow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.log.log import Cursor, Entry, Log

MESSAGES = 1_000
"""Read at once from a partition, at most."""


class Follower:
    """Reads the partitions of a share of a log.

    Parameters
    ----------
    log
        What is read.
    share
        `(k, n)`: only the partitions that process `k` of `n` has.
    positions
        Where to go on in a partition; where it is not named, at its beginning.

    """

    def __init__(
        self, log: Log, share: tuple[int, int] = (0, 1), positions: Mapping[str, int] | None = None
    ) -> None:
        known, (k, n) = positions or {}, share
        self.positions = {
            name: known[name] if name in known else log.bounds(name).first
            for number, name in enumerate(log.partitions())
            if number % n == k
        }
        """Behind the last message that was read, for each partition."""
        self._log = log
        self._cursors: dict[str, Cursor] = {}

    def read(self, limit: int = MESSAGES) -> Iterator[tuple[str, list[Entry]]]:
        """Yield what there is now of each partition that has something new.

        Raises
        ------
        LostError
            When it is not kept any more.
        LogError
            When the log cannot be read.

        """
        for partition in self.positions:
            cursor = self._cursors.get(partition)
            if cursor is None:
                cursor = self._log.open(partition, self.positions[partition])
                self._cursors[partition] = cursor
            entries = cursor.read(limit)
            if entries:
                self.positions[partition] = entries[-1].offset + 1
                yield partition, entries

    def behind(self) -> int:
        """Return how many offsets stand ahead, in all partitions."""
        return sum(
            max(self._log.bounds(name).end - position, 0)
            for name, position in self.positions.items()
        )

    def close(self) -> None:
        """Give back what it holds; the log stays open."""
        for cursor in self._cursors.values():
            cursor.close()
        self._cursors.clear()
