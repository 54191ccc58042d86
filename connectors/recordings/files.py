"""Recordings on disk: which files are meant, of what format, and whether they have changed."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schemas.mendable import Mendable

FORMATS = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
PACKINGS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz", ".lz4": "lz4"}
_ENDINGS = f"{', '.join(FORMATS)}, and the texts also with {', '.join(PACKINGS)} behind it"
_EDGE = 65_536


class DataError(Mendable, ValueError):
    """What was given as market data cannot be read as such; says which file, and what to do."""


@dataclass(frozen=True, slots=True)
class File:
    """A recording.

    Parameters
    ----------
    path
        Where it is.
    name
        Its name, with as much of the path as makes it unique: it stands in log positions.
    format
        `parquet`, `csv` or `jsonl`.
    packing
        How a text is compressed, or `None`.
    size
        Bytes.

    """

    path: Path
    name: str
    format: str
    packing: str | None
    size: int

    def fingerprint(self) -> str:
        """Return what tells this content from another: its size and a checksum of both ends."""
        with self.path.open("rb") as file:
            crc = zlib.crc32(file.read(_EDGE))
            file.seek(max(self.size - _EDGE, 0))
            crc = zlib.crc32(file.read(_EDGE), crc)
        return f"{self.size}:{crc:08x}"


def find(paths: Iterable[str | Path]) -> list[File]:
    """Return the files meant by paths of files and of directories.

    Raises
    ------
    DataError
        When one is missing, empty, given twice, of an unknown format, or not ours to read.

    """
    found = [file for path in paths for file in _meant(Path(path))]
    if not found:
        raise DataError("no data given: name a file or a directory of recorded trades")
    for path, times in Counter(path.resolve() for path in found).items():
        if times > 1:
            raise DataError(f"{path}: given twice; give each file once")
    names = _names(found)
    return [_file(path, name) for path, name in zip(found, names, strict=True)]


def _meant(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    inside = sorted(file for file in path.iterdir() if file.is_file() and _kind(file) is not None)
    if not inside:
        raise DataError(f"{path}: a directory without data; its files should end in {_ENDINGS}")
    return inside


def _kind(path: Path) -> tuple[str, str | None] | None:
    """Return format and packing by the ending.

    Examples
    --------
    >>> _kind(Path("btc.csv.gz")), _kind(Path("btc.parquet")), _kind(Path("btc.parquet.gz"))
    (('csv', 'gzip'), ('parquet', None), None)

    """
    packing = PACKINGS.get(path.suffix.lower())
    form = FORMATS.get(Path(path.stem).suffix.lower() if packing else path.suffix.lower())
    if form is None or (packing and form == "parquet") or path.name.startswith("."):
        return None
    return form, packing


def _file(path: Path, name: str) -> File:
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; check the path") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{path}: cannot be read: {reason}; check who may read it") from None
    kind = _kind(path)
    if kind is None:
        raise DataError(f"{path}: unknown ending; data files end in {_ENDINGS}")
    if size == 0:
        raise DataError(f"{path}: an empty file; record it again, or leave it out")
    return File(path, name, *kind, size)


def _names(paths: list[Path]) -> list[str]:
    """Return a short name for each path, unique among them.

    Examples
    --------
    >>> _names([Path("/a/x.csv"), Path("/b/x.csv"), Path("/b/y.csv")])
    ['a/x.csv', 'b/x.csv', 'y.csv']

    """
    whole = [path.resolve().parts for path in paths]
    names = ["/".join(parts[-1:]) for parts in whole]
    for depth in range(2, max(map(len, whole), default=0) + 1):
        shared = {name for name, times in Counter(names).items() if times > 1}
        if not shared:
            break
        names = [
            "/".join(parts[-depth:]) if name in shared else name
            for parts, name in zip(whole, names, strict=True)
        ]
    return names
