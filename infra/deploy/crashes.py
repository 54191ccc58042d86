"""Crashes at one place: what kills a flow at one position of its log kills it there again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from connectors.disk import kept

LIMIT = 3
"""So many crashes at one position, and it is given up."""
_FILE = "crashes.json"


class Crashes:
    """Counts how often a flow has crashed where it is; kept on disk, for its parent may die, too.

    Parameters
    ----------
    directory
        The deployment's.
    limit
        How many crashes at one position are too many.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     crashes = Crashes(Path(place))
    ...     [crashes.note({"log/0": at}) for at in (7, 7, 8, 8, 8)]
    [False, False, False, False, True]

    """

    def __init__(self, directory: Path, limit: int = LIMIT) -> None:
        self._path, self._limit = directory / _FILE, limit

    def note(self, positions: Mapping[str, object]) -> bool:
        """Note a crash, and tell whether to give up.

        Parameters
        ----------
        positions
            How far each partition was when it was kept last: where the flow would go on. Any JSON
            will do: only whether it is the same counts.

        """
        here = orjson.dumps(dict(positions), option=orjson.OPT_SORT_KEYS).decode()
        before, count = self._read()
        count = count + 1 if before == here else 1
        partial = self._path.with_suffix(".partial")
        with kept("crashes", self._path):
            partial.write_bytes(orjson.dumps({"positions": here, "count": count}))
            partial.replace(self._path)
        return count >= self._limit

    def forget(self) -> None:
        """Begin anew: somebody has looked at it, or it has run well since."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> tuple[str, int]:
        """Return where it crashed last, and how often in a row; a torn file tells nothing."""
        try:
            said = orjson.loads(self._path.read_bytes())
            return str(said["positions"]), int(said["count"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return "", 0
