"""What an executor cannot do at present: told once, and again when it is over."""

from __future__ import annotations

from collections.abc import Callable

from connectors.scrub import scrub


class Troubles:
    """What is wrong, by what it is wrong with.

    Parameters
    ----------
    tell
        Takes each line to be shown.

    Examples
    --------
    >>> troubles = Troubles(print)
    >>> troubles.begin("private stream", "closed")
    private stream: closed
    >>> troubles.begin("private stream", "closed")
    >>> troubles.present
    {'private stream': 'closed'}
    >>> troubles.end("private stream")
    private stream: all right again

    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.present: dict[str, str] = {}

    def say(self, line: str) -> None:
        """Tell what is no trouble that could end."""
        self._tell(scrub(line))

    def begin(self, what: str, why: str) -> None:
        """Tell that something is wrong, unless that is known."""
        why = scrub(why)
        if self.present.get(what) != why:
            self.present[what] = why
            self._tell(f"{what}: {why}")

    def end(self, what: str) -> None:
        """Tell that it is over, if it was told."""
        if self.present.pop(what, None) is not None:
            self._tell(f"{what}: all right again")
