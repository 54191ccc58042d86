from __future__ import annotations

import errno
from pathlib import Path

import pytest

from connectors.disk import DiskError, kept


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "here: the disk is full, rows cannot be kept: free some space"),
        (errno.EDQUOT, "here: the disk is full, rows cannot be kept: free some space"),
        (errno.EFBIG, "here: no file may grow further, rows cannot be kept: raise the limit"),
        (errno.EACCES, "here: rows may not be kept there: look who may write to it"),
        (errno.EIO, "here: rows cannot be kept: odd"),
    ],
)
def test_an_error_names_the_place_and_the_remedy(number: int, remedy: str) -> None:
    with pytest.raises(DiskError, match=remedy), kept("rows", Path("here")):
        raise OSError(number, "odd")


def test_what_was_told_already_stays_as_it_is() -> None:
    with pytest.raises(DiskError, match=r"^inner$"), kept("rows", Path("here")):
        raise DiskError("inner")
