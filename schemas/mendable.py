"""What goes wrong and is not our bug, whichever part of us finds it."""

from __future__ import annotations


class Mendable(Exception):
    """Something its user can mend; its text names the value, the place and the remedy.

    A base beside others, so that whoever tells errors need not import all that may raise them.

    Examples
    --------
    >>> class DataError(Mendable, ValueError):
    ...     "What was given as market data cannot be read as such."
    >>> isinstance(DataError("gone.csv: no such file; check the path"), Mendable)
    True

    """
