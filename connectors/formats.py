"""Open a file by its format."""

from __future__ import annotations

from connectors.blocks import Reader
from connectors.columns import Wanted
from connectors.files import File
from connectors.naming import Markets
from connectors.parquet import ParquetReader


def open_file(file: File, wanted: Wanted, markets: Markets) -> Reader:
    """Return the reader of a file.

    Raises
    ------
    DataError
        When it is broken, or lacks a column.

    """
    return ParquetReader(file, wanted, markets.only(file) is not None)
