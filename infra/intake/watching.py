"""What is shown while markets come in: a table on a terminal, and what cannot be had at present."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text
from typing_extensions import Self

from connectors.feed.feed import Counts
from infra import screen

_SHOWS = 4
"""Tables a second."""
_PLAIN = {"trades", "books", "latency"}
"""What comes, as it should."""


class Watching:
    """Shows the latest table and troubles; where there is no terminal, each trouble as it begins.

    Parameters
    ----------
    over
        What to say there when no trouble is left.

    Examples
    --------
    >>> with Watching() as watching:
    ...     watching.show(Table("market"), ["okx cannot be reached"])

    """

    def __init__(self, over: str = "all is taken in again") -> None:
        self._over = over
        self._table: RenderableType = Table()
        self._troubles: Sequence[str] = ()
        self._live = Live(
            get_renderable=self._rendered,
            console=screen.screen,
            refresh_per_second=_SHOWS,
            transient=True,
        )

    def __enter__(self) -> Self:
        if screen.screen.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, table: RenderableType, troubles: Sequence[str]) -> None:
        """Show these from now on."""
        if not screen.screen.is_terminal:
            for trouble in troubles:
                if trouble not in self._troubles:
                    screen.say(trouble, "yellow")
            if self._troubles and not troubles:
                screen.say(self._over, "yellow")
        self._table, self._troubles = table, troubles

    def _rendered(self) -> Group:
        return Group(*(Text(trouble, "yellow") for trouble in self._troubles), self._table)


def mishaps(counts: Counts) -> str:
    """Return what went wrong with a market, in words and numbers.

    Examples
    --------
    >>> mishaps(Counts(trades=7, holes=1, filled=12))
    'holes 1, filled 12'
    >>> mishaps(Counts(trades=7))
    '–'

    """
    names = [field.name for field in fields(counts) if field.name not in _PLAIN]
    found = {name: getattr(counts, name) for name in names}
    return ", ".join(f"{name} {count:,}" for name, count in found.items() if count) or "–"
