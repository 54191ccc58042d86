"""Recordings as lines of JSON: trades as flat objects, and any event in its wire form."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import orjson
import pyarrow as pa

from connectors.recordings.blocks import ALL, BLOCK_ROWS, Block, Extent
from connectors.recordings.columns import NEEDED, Layout, Wanted
from connectors.recordings.files import DataError, File
from connectors.recordings.lines import Lines, read_lines
from connectors.recordings.stretch import Stretch
from schemas import DERIVED, OUTSIDE

_HEAD = 1000
"""Lines at the head of a file in which its columns are looked for, or more, up to a trade."""
_MEASURES = ("price", "size")
_KINDS = frozenset(kind.__name__ for kind in (*OUTSIDE, *DERIVED))


class JsonlReader:
    """A file of JSON lines; rows are counted as lines, from 1.

    Parameters
    ----------
    file
        The file.
    wanted
        The user's mapping of columns.
    one_market
        Whether the market is known without a field `symbol`.

    """

    def __init__(self, file: File, wanted: Wanted, one_market: bool) -> None:
        self.file = file
        there, empty = _fields(file)
        if empty:
            raise DataError(f"{file.path}: no rows; leave the file out")
        names = [name for name in there if name != "event"]
        layout = wanted.layout(file, names, one_market, trades=bool(there))
        anyway = {} if there else {ours: ours for ours in (*NEEDED, "symbol")}
        self.layout = Layout({**anyway, **layout.names, "event": "event"}, layout.units)

    def stretch(self) -> Stretch | None:
        """Return nothing: logs are recorded as Parquet."""
        return None

    def extent(self) -> Extent | None:
        """Return nothing: a text proves nothing without being read."""
        return None

    def blocks(
        self,
        first: int = 0,
        rows: int = BLOCK_ROWS,
        wanted: Collection[str] = ALL,
        skip: Callable[[str], bool] | None = None,
    ) -> Iterator[Block]:
        """Read the file from line `first` on; see `Reader`."""
        for lines in read_lines(self.file, rows, first or 1):
            yield self._block(lines, wanted)

    def _block(self, lines: Lines, wanted: Collection[str]) -> Block:
        split = [(number, line) for number, line in enumerate(lines.split(), lines.first) if line]
        objects: list[dict[str, Any]] = []
        broken: dict[int, str] = {}
        events: list[str | None] = []
        for row, (_, line) in enumerate(split):
            found = _object(line)
            if isinstance(found, str):
                broken[row] = found
                found = {}
            written = _is_event(found)
            events.append(line if written else None)
            objects.append({} if written else found)
        columns = {
            ours: _column([row.get(name) for row in objects], exact=ours not in _MEASURES)
            for ours, name in self.layout.names.items()
            if ours in wanted and ours != "event"
        }
        columns["event"] = pa.array(events, pa.string())
        numbers = [number for number, _ in split]
        return Block(lines.first, numbers, columns, lambda row: split[row][1], lines.read, broken)


def _fields(file: File) -> tuple[list[str], bool]:
    """Return the fields of the first trades of a file, and whether it has no rows at all."""
    there: dict[str, None] = {}
    empty = True
    for lines in read_lines(file, _HEAD):
        for line in lines.split():
            found = _object(line) if line else {}
            empty = empty and not line
            if not isinstance(found, str) and not _is_event(found):
                there.update(dict.fromkeys(found))
        if there:
            break
    return list(there), empty


def _object(line: str) -> dict[str, Any] | str:
    """Return the object on a line, or why there is none."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error}"
    return found if isinstance(found, dict) else f"not an object, but a {type(found).__name__}"


def _is_event(found: dict[str, Any]) -> bool:
    kind = found.get("type")
    return kind is not None and ("v" in found or (isinstance(kind, str) and kind in _KINDS))


def _column(values: list[Any], exact: bool) -> pa.Array:
    """Return values as numbers if they are all numbers, else as texts.

    A time or an id in float64 would not be `exact`, nor those in the rows beside it.
    """
    kinds = set(map(type, values)) - {type(None)}
    try:
        if kinds == {int}:
            return pa.array(values, pa.int64())
        if not exact and kinds and kinds <= {int, float}:
            return pa.array(values, pa.float64())
    except (OverflowError, pa.ArrowInvalid):
        pass
    return pa.array([_word(value) for value in values], pa.string())


def _word(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
