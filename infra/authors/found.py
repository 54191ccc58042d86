"""What a look at a flow has found."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Found(NamedTuple):
    """What was looked at, how it is, where, and what to do."""

    check: str
    good: bool
    says: str
    place: str = ""
    """`file:line`, where one is to blame."""
    remedy: str = ""


def place(path: Path, line: int | None) -> str:
    """Return where a line is.

    Examples
    --------
    >>> place(Path("flows/mine.py"), 7), place(Path("flows/mine.py"), None)
    ('flows/mine.py:7', 'flows/mine.py')

    """
    return f"{path}:{line}" if line else str(path)
