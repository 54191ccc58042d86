"""A transaction of SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def whole(file: sqlite3.Connection) -> Iterator[None]:
    """Keep all that is written, as durably as the file is set to, or nothing.

    Examples
    --------
    >>> file = sqlite3.connect(":memory:", isolation_level=None)
    >>> with whole(file):
    ...     _ = file.execute("CREATE TABLE numbers (n)")
    >>> file.execute("SELECT count(*) FROM numbers").fetchone()
    (0,)

    """
    file.execute("BEGIN IMMEDIATE")
    try:
        yield
        file.execute("COMMIT")
    except BaseException:  # also when we are told to stop: nothing may be kept by half
        if file.in_transaction:
            file.execute("ROLLBACK")
        raise
