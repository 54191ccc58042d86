"""What may go wrong with a run, and is not our bug: told in one line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.disk import DiskError
from schemas.mendable import Mendable

AFRESH = "start afresh with another --recovery directory"
AGAIN = "run the same command again, it goes on where it was"


class ReplayError(Exception):
    """A replay that could not go on; its text says why and what to do."""


@contextmanager
def explained(*, resumable: bool) -> Iterator[None]:
    """Turn what is expected to go wrong into one error that says what to do.

    Examples
    --------
    >>> with explained(resumable=True):
    ...     raise DiskError("store: the disk is full: free some space")
    Traceback (most recent call last):
    infra.running.problems.ReplayError: store: the disk is full: free some space; then run ...

    """
    try:
        yield
    except (Mendable, RuntimeError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, Mendable):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
        raise ReplayError(_said(cause, resumable=resumable)) from error


def _said(error: BaseException, *, resumable: bool) -> str:
    if isinstance(error, DiskError) and resumable and AFRESH not in str(error):
        return f"{error}; then {AGAIN}"
    return str(error)
