"""From a file's column, of whatever type, to ours. What a cell does not give becomes a bad value.

A bad value is one no trade can have (not a number, time 0, side 2), so that one check finds what
was bad in the file and what became bad here.
"""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.recordings.columns import UNITS
from schemas.trades import Float64, Ids, Int8, Int64

BAD_SIDE: Final = 2
PLAIN: Final = "plain numbers"
N = TypeVar("N", bound=np.generic)
_SIDES = {"": 0, "0": 0, "buy": 1, "b": 1, "1": 1, "+1": 1, "sell": -1, "s": -1, "-1": -1}
_ZONED = r"(Z|[+-]\d\d(:?\d\d)?)$"
_TENS = 10 ** np.arange(1, 19, dtype=np.int64)


class Unsuitable(ValueError):
    """A column is of a type that cannot hold what it should."""


def flat(column: pa.Array, kind: type[N]) -> NDArray[N]:
    """Return the values of a column without nulls, without a copy.

    `to_numpy` does the same, but imports pandas first, which takes a third of a second.
    """
    whole = np.frombuffer(column.buffers()[1], kind)
    return whole[column.offset : column.offset + len(column)]


def written(column: pa.Array) -> NDArray[np.bool_]:
    """Tell which cells are not null."""
    if not column.null_count:
        return np.ones(len(column), bool)
    if column.null_count == len(column):
        return np.zeros(len(column), bool)
    bits = column.is_valid()
    known = np.unpackbits(np.frombuffer(bits.buffers()[1], np.uint8), bitorder="little")
    return known[bits.offset : bits.offset + len(bits)].astype(bool)


def pick(column: pa.Array, rows: NDArray[np.intp]) -> pa.Array:
    """Return some rows of a column."""
    index = pa.Array.from_buffers(
        pa.int64(), len(rows), [None, pa.py_buffer(rows.astype(np.int64, copy=False))]
    )
    return column.take(index)


def numbers(column: pa.Array) -> Float64:
    """Return float64, NaN for what is none.

    Examples
    --------
    >>> numbers(pa.array(["1.5", "abc", None]))
    array([1.5, nan, nan])

    """
    column = _cast(_plain(column), pa.float64())
    if column.null_count:
        column = column.fill_null(float("nan"))
    return flat(column, np.float64)


def times(column: pa.Array, unit: str | None) -> Int64:
    """Return nanoseconds UTC, 0 for what is no time.

    Parameters
    ----------
    column
        Times of Arrow, ISO 8601 texts (UTC where they name no zone), or numbers.
    unit
        What the numbers count since 1970; needed for numbers only.

    Examples
    --------
    >>> times(pa.array(["1970-01-01T00:00:01Z", "1970-01-01 00:00:01.5", "x"]), None).tolist()
    [1000000000, 1500000000, 0]
    >>> times(pa.array(["1.000000001", "2"]), "s").tolist()
    [1000000001, 2000000000]

    """
    column = _plain(column)
    if pa.types.is_timestamp(column.type):
        column = _cast(column, pa.timestamp("ns")).view(pa.int64())
    elif unit is not None and not (unit == "ns" and pa.types.is_int64(column.type)):
        return _scaled(column, UNITS[unit])
    elif pa.types.is_string(column.type):
        column = _iso(column)
    elif unit is None:
        raise Unsuitable(PLAIN)
    if column.null_count:
        column = column.fill_null(0)
    return flat(column, np.int64)


def is_time(kind: pa.DataType) -> bool:
    """Tell whether a type says by itself what time it means."""
    return bool(pa.types.is_timestamp(kind))


def is_plain(column: pa.Array) -> bool:
    """Tell whether a column of times holds numbers, so that their unit must be known."""
    column = _plain(column).drop_null()
    if pa.types.is_string(column.type):
        return len(column) > 0 and column[0].as_py().replace(".", "", 1).isdigit()
    return not pa.types.is_timestamp(column.type) and not pa.types.is_null(column.type)


def sides(column: pa.Array) -> Int8:
    """Return +1, -1 or 0; 0 where there is none; `BAD_SIDE` for anything else.

    Examples
    --------
    >>> sides(pa.array(["buy", "S", None, "up"])).tolist()
    [1, -1, 0, 2]

    """
    if _is_text(column.type) or pa.types.is_dictionary(column.type):
        column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        words = [_side(word) for word in column.dictionary.to_pylist()]
        codes = _codes(column, len(words))
        known: Int8 = np.array([*words, 0], np.int8)[codes]
        return known
    if column.null_count:
        column = pc.fill_null(column, pa.scalar(0).cast(column.type))
    if pa.types.is_int8(column.type):
        return flat(column, np.int8)
    values = numbers(column)
    with np.errstate(invalid="ignore"):
        known = (values == 1) | (values == -1) | (values == 0)
    return np.where(known, values, BAD_SIDE).astype(np.int8)


def _side(word: object) -> int:
    return _SIDES.get(str("" if word is None else word).strip().lower(), BAD_SIDE)


def ids(column: pa.Array) -> Ids | None:
    """Return int64 where every id is a whole number, else strings; `None` where there is no id.

    What stands for a single missing id means nothing.

    Examples
    --------
    >>> ids(pa.array(["12", "13"])), ids(pa.array(["007", "8"])), ids(pa.array([None, None]))
    (array([12, 13]), array(['007', '8'], dtype=object), None)

    """
    column = _plain(column)
    if column.null_count == len(column):
        return None
    if pa.types.is_floating(column.type):
        column = _cast(column, pa.int64())
    if pa.types.is_integer(column.type):
        if column.null_count:
            column = column.fill_null(0)
        try:
            return flat(column.cast(pa.int64()), np.int64)
        except pa.ArrowInvalid:
            pass
    texts = _cast(column, pa.string())
    if texts.null_count:
        texts = texts.fill_null("0")
    whole = whole_numbers(texts)
    return np.array(texts.to_pylist(), object) if whole is None else whole


def texts_of(whole: Ids) -> NDArray[np.object_]:
    """Return ids as strings."""
    return np.array([str(id_) for id_ in whole.tolist()], object)


def received(column: pa.Array, unit: str | None) -> Int64 | None:
    """Return nanoseconds UTC, that of the row before for a missing one; `None` if all are."""
    stamps = times(column, unit)
    known = stamps > 0
    if known.all():
        return stamps
    if not known.any():
        return None
    last = np.maximum.accumulate(np.where(known, np.arange(len(stamps)), 0))
    filled: Int64 = stamps[last]
    filled[: int(known.argmax())] = stamps[int(known.argmax())]
    return filled


def symbols(column: pa.Array) -> tuple[list[str | None], NDArray[np.integer]]:
    """Return the names in a column, and which of them each row has; without a name: the last."""
    if not pa.types.is_dictionary(column.type):
        column = _cast(column, pa.string()).dictionary_encode()
    names = [name if name is None else str(name) for name in column.dictionary.to_pylist()]
    return [*names, None], _codes(column, len(names))


def _codes(column: pa.Array, missing: int) -> NDArray[np.integer]:
    codes = column.indices
    if codes.null_count:
        codes = codes.fill_null(missing)
    if not pa.types.is_int32(codes.type):
        codes = codes.cast(pa.int32())
    return flat(codes, np.int32)


def whole_numbers(texts: pa.Array) -> Int64 | None:
    """Return texts as whole numbers if they are all written as such, without leading zeros."""
    try:
        values = flat(texts.cast(pa.int64()), np.int64)
    except pa.ArrowInvalid:
        return None
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= 10**18:
        return None
    if len(str(low)) == len(str(high)):
        letters = pc.sum(pc.binary_length(texts)).as_py()
        return values if letters == len(str(low)) * len(texts) else None
    digits = np.searchsorted(_TENS, values, side="right") + 1
    return values if (flat(pc.binary_length(texts), np.int32) == digits).all() else None


def _iso(texts: pa.Array) -> pa.Array:
    zone = pa.timestamp("ns", "UTC")
    try:
        return texts.cast(zone).view(pa.int64())
    except pa.ArrowInvalid:
        zoned = pc.match_substring_regex(texts, _ZONED)
        with_zone = pc.if_else(zoned, texts, pc.binary_join_element_wise(texts, "Z", ""))
        return _cast(with_zone, zone).view(pa.int64())


def _scaled(column: pa.Array, places: int) -> Int64:
    """Return nanoseconds of numbers of a unit `places` decimal places larger, exactly."""
    # A decimal with as many places as the unit has nanoseconds is kept as whole nanoseconds.
    decimals = _cast(column, pa.decimal128(28, places))
    every = np.frombuffer(decimals.buffers()[1], np.int64).reshape(-1, 2)
    halves = every[decimals.offset : decimals.offset + len(decimals)]
    fits = halves[:, 1] == np.where(halves[:, 0] < 0, -1, 0)
    if decimals.null_count:
        fits &= written(decimals)
    return np.where(fits, halves[:, 0], 0)


def _plain(column: pa.Array) -> pa.Array:
    """Return a column without a dictionary, and texts without spaces around them."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_text(column.type):
        column = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return column


def _is_text(kind: pa.DataType) -> bool:
    return any(
        is_kind(kind)
        for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Cast a column; what does not fit becomes null, and is found by halving."""
    if column.type.equals(kind):
        return column
    try:
        return column.cast(kind)
    except pa.ArrowInvalid:
        if len(column) == 1:
            return pa.nulls(1, kind)
        half = len(column) // 2
        return pa.concat_arrays([_cast(column[:half], kind), _cast(column[half:], kind)])
    except pa.ArrowNotImplementedError:
        raise Unsuitable(f"{column.type}, and not {kind}") from None
