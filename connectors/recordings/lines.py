"""Text files, compressed or not, in blocks of whole lines."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from connectors.recordings.files import DataError, File

_CHUNK = 1 << 20
_LONGEST = 1 << 26
_NEWLINE = 10


class _Stream(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...
    def tell(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Lines:
    """Consecutive lines of a file."""

    first: int
    """The number of the first one; the file begins with line 1."""
    count: int
    text: bytes
    read: int
    """Bytes of the file up to here, compressed as it is."""

    def split(self) -> list[str]:
        """Return each line, without its end."""
        lines = self.text.decode("utf-8", "backslashreplace").split("\n")
        return [line.rstrip("\r") for line in lines[: self.count]]


def read_lines(file: File, count: int, first: int = 1) -> Iterator[Lines]:
    """Read a file from line `first` on, `count` lines at a time.

    Raises
    ------
    DataError
        When the compression is broken, or it is no text.

    """
    number, waiting, lines, open_ = 1, b"", 0, 0
    with _unpacked(file) as (stream, raw), _broken(file):
        while chunk := stream.read(_CHUNK):
            waiting += chunk
            lines += chunk.count(b"\n")
            last = chunk.rfind(b"\n")
            open_ = open_ + len(chunk) if last < 0 else len(chunk) - last - 1
            skipped = first - number
            if 0 < lines <= skipped:
                waiting, number, lines = waiting[waiting.rindex(b"\n") + 1 :], number + lines, 0
            elif skipped > 0 and lines:
                waiting, number, lines = waiting[_end(waiting, skipped) :], first, lines - skipped
            while lines >= count and number >= first:
                end = _end(waiting, count)
                yield Lines(number, count, waiting[:end], raw.tell())
                waiting, number, lines = waiting[end:], number + count, lines - count
            if open_ > _LONGEST:
                where = number + lines
                raise DataError(f"{file.path}: no text: line {where} has no end; check the file")
        if waiting and number >= first:
            lines += not waiting.endswith(b"\n")
            yield Lines(number, lines, waiting, file.size)


def _end(text: bytes, count: int) -> int:
    """Return where the first `count` lines end."""
    return int(np.flatnonzero(np.frombuffer(text, np.uint8) == _NEWLINE)[count - 1]) + 1


@contextmanager
def _unpacked(file: File) -> Iterator[tuple[_Stream, _Stream]]:
    """Open a file, and give its content and the file itself."""
    with file.path.open("rb") as raw:
        if file.packing is None:
            yield raw, raw
        elif file.packing == "xz":
            with lzma.open(raw) as stream:
                yield stream, raw
        else:
            with pa.CompressedInputStream(pa.PythonFile(raw, "r"), file.packing) as stream:
                yield stream, raw


@contextmanager
def _broken(file: File) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, lzma.LZMAError) as error:
        raise DataError(
            f"{file.path}: broken {file.packing or 'file'} ({error}); record or download it again"
        ) from error
