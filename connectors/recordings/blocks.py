"""What every format of recordings is read into: blocks of rows, with columns of our names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import pyarrow as pa

from connectors.recordings.columns import ALIASES, Layout
from connectors.recordings.files import File
from connectors.recordings.naming import Share
from connectors.recordings.stretch import Stretch

BLOCK_ROWS = 65_536
WIDE_ROWS = 524_288
"""Of a Parquet file that holds nothing but trades: rows are small there, and the more of them
each of many markets gets at once, the less each costs."""
ALL = frozenset(ALIASES)


@dataclass(slots=True)
class Block:
    """Consecutive rows of a file.

    Parameters
    ----------
    first
        Where the block begins: reading can be resumed here.
    numbers
        The number of each row in the file, as the user counts them.
    columns
        Our name to the file's column, of its own type. Where `event` is not null, the row is an
        event in its wire form and no trade.
    text
        Gives a row whole, as it stands in the file or as JSON.
    read
        Bytes of the file read up to the end of the block.
    broken
        Rows that could not be taken apart into cells, and why.

    """

    first: int
    numbers: Sequence[int]
    columns: Mapping[str, pa.Array]
    text: Callable[[int], str]
    read: int
    broken: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)


class Extent(NamedTuple):
    """What is known of a file without reading its rows."""

    symbol: str | None
    """The only one, if it is known that there is one."""
    first: int
    """No time is before this, ns UTC."""
    last: int


class Reader(Protocol):
    """A file of one format."""

    file: File

    @property
    def layout(self) -> Layout:
        """Where the file has our columns."""
        ...

    def stretch(self) -> Stretch | None:
        """Return which part of a log the file holds, if it was recorded from one."""
        ...

    def extent(self) -> Extent | None:
        """Return what is known without reading rows, if anything is."""
        ...

    def blocks(
        self,
        first: int = 0,
        rows: int = BLOCK_ROWS,
        wanted: Collection[str] = ALL,
        skip: Callable[[str], bool] | None = None,
    ) -> Iterator[Block]:
        """Read the file from row `first` on, which is 0 or where a block began.

        Parameters
        ----------
        first
            The row to begin with.
        rows
            Rows of a block, at most; the same as when `first` was the beginning of a block,
            which then ends where it ended, or behind it.
        wanted
            Our names of the columns to read.
        skip
            Tells which symbols are not needed: where it is known that there is nothing else,
            rows may be left out.

        Raises
        ------
        DataError
            When the file turns out to be broken.

        """
        ...


def of_share(share: Share, market: Callable[[str], str]) -> Callable[[str], bool] | None:
    """Return which symbols are not in a share, if any can be left out at all."""
    return None if share.n == 1 else lambda symbol: not share.has(market(symbol))
