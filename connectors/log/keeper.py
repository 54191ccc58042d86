"""How much an embedded log keeps, and who sees to it while messages come in."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from schemas import DAY

_EVERY_SECONDS = 60.0
_log = logging.getLogger("tapedeck.log")


@dataclass(frozen=True)
class Keep:
    """How much a log keeps.

    Parameters
    ----------
    age
        For how long, ns; None is for ever.
    size
        How many bytes; None is without end.
    archived
        Returns, by partition, the offset up to which all is kept elsewhere, too: the rest stays,
        however much it is. None lets all go.

    """

    age: int | None = 7 * DAY
    size: int | None = 10 * 10**9
    archived: Callable[[], Mapping[str, int]] | None = None


class Retaining(Protocol):
    """A log that can forget: a `SqliteWriter`."""

    def retain(  # noqa: D102
        self, max_age: int | None, max_bytes: int | None, before: Mapping[str, int] | None
    ) -> bool: ...
    def used(self) -> int: ...  # noqa: D102


class Keeper:
    """Lets a log forget what need not be kept, piece by piece, each minute anew.

    Parameters
    ----------
    writer
        Writes the log.
    keep
        How much it keeps.

    """

    def __init__(self, writer: Retaining, keep: Keep) -> None:
        self.writer, self.keep = writer, keep
        self._due = 0.0
        self._begun = False
        self._before: Mapping[str, int] | None = None

    def wait(self) -> float:
        """Return how many seconds there is nothing to do."""
        return max(0.0, self._due - time.monotonic())

    def work(self) -> None:
        """Let one piece go, if it is time; what goes wrong is logged, and tried again later."""
        if self.wait():
            return
        try:
            if not self._piece():
                self._end()
        except (ValueError, OSError) as error:
            _log.warning("nothing can be let go: %s", error)
            self._rest()

    def _piece(self) -> bool:
        if not self._begun:
            self._before = self.keep.archived() if self.keep.archived else None
            self._begun = True
        return self.writer.retain(self.keep.age, self.keep.size, self._before)

    def _end(self) -> None:
        used = self.writer.used()
        if self.keep.size is not None and used > self.keep.size:
            _log.warning(
                "%s bytes are kept, which is more than %s: the rest is not archived yet",
                f"{used:,}", f"{self.keep.size:,}",
            )  # fmt: skip
        self._rest()

    def _rest(self) -> None:
        self._begun = False
        self._due = time.monotonic() + _EVERY_SECONDS
