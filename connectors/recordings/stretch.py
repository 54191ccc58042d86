"""Which part of a log a recorded file holds: it stands in the file's own metadata."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.recordings.files import DataError
from schemas import Time

_KEY = b"tapedeck.stretch"
_NAME = re.compile(r"(.+)\.(\d{16})\.parquet")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive messages of one partition of a log.

    Parameters
    ----------
    partition
        Its name; no two logs share one.
    first, end
        From which offset on, and right in front of which.
    spans
        For each market the first and the last time.

    """

    partition: str
    first: int
    end: int
    spans: dict[str, tuple[Time, Time]]

    def metadata(self) -> dict[bytes, bytes]:
        """Return what the file says of itself."""
        return {_KEY: orjson.dumps(asdict(self))}


def stretch_of(metadata: pq.FileMetaData) -> Stretch | None:
    """Return the part of a log that a file holds, unless it is no recording of one."""
    text = (metadata.metadata or {}).get(_KEY)
    if text is None:
        return None
    said = orjson.loads(text)
    spans = {market: (first, last) for market, (first, last) in said["spans"].items()}
    return Stretch(said["partition"], said["first"], said["end"], spans)


def file_name(partition: str, first: int) -> str:
    """Return the name of the file that begins with an offset; they sort by it.

    Examples
    --------
    >>> file_name("5f0c/3", 70_000)
    '5f0c-3.0000000000070000.parquet'

    """
    return f"{slug(partition)}.{first:016d}.parquet"


def slug(partition: str) -> str:
    """Return a partition's name as a part of a file's name."""
    return partition.replace("/", "-")


def archived(directory: Path) -> dict[str, int]:
    """Return for each partition of a log in front of which offset all is safe in a directory.

    What a log's retention takes must be older than that.

    Raises
    ------
    DataError
        When a recording there is damaged.

    """
    last: dict[str, Path] = {}
    for path in sorted(directory.glob("*.parquet")):
        if match := _NAME.fullmatch(path.name):
            last[match[1]] = path
    found = [stretch for path in last.values() if (stretch := _read(path)) is not None]
    return {stretch.partition: stretch.end for stretch in found}


def _read(path: Path) -> Stretch | None:
    try:
        return stretch_of(pq.read_metadata(path))
    except (pa.ArrowException, OSError) as error:
        reason = str(error).split("\n")[0]
        msg = f"{path}: a damaged recording ({reason}): move it away, the log has it if it is kept"
        raise DataError(msg) from error
