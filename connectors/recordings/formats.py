"""Open a file by its format."""

from __future__ import annotations

from collections.abc import Callable

from connectors.recordings.blocks import Reader
from connectors.recordings.columns import Wanted
from connectors.recordings.csv_text import CsvReader
from connectors.recordings.files import File
from connectors.recordings.jsonl import JsonlReader
from connectors.recordings.naming import Markets, Share
from connectors.recordings.parquet import ParquetReader
from connectors.recordings.strips import Strips

READERS: dict[str, Callable[[File, Wanted, bool], Reader]] = {
    "parquet": ParquetReader,
    "csv": CsvReader,
    "jsonl": JsonlReader,
}
_LOOK = 64
"""Rows that are looked at, so that what is wrong with a whole column is told at once."""


def open_file(file: File, wanted: Wanted, markets: Markets) -> Reader:
    """Return the reader of a file.

    Raises
    ------
    DataError
        When it is broken, lacks a column, or a column makes no sense.

    """
    reader = READERS[file.format](file, wanted, markets.only(file) is not None)
    strips = Strips(file, reader.layout, markets, Share(), set())
    for block in reader.blocks(rows=_LOOK):
        strips.check(block)
        break
    return reader
