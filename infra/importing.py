"""Importing what is large: pandas and scipy come with River, and stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let the garbage collector wait: it would take a fifth of the time, and find nothing.

    Examples
    --------
    >>> with undisturbed():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True

    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
