"""The forms of a field, by its annotation: how it is read from JSON and kept in a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Context, Decimal
from functools import cache
from math import inf, isfinite
from typing import get_args

import pyarrow as pa

from schemas.basics import Aggressor, OrderKind, Purpose, Side, Unit

INT64 = range(-(2**63), 2**63)

_DECIMAL_TEXT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_PLACES = 38
"""Digits of a decimal on each side of its point: an average price of 40 digits still fits."""
_EXACT = Context(prec=2 * _PLACES)


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of field."""

    read: Callable[[object], object]
    """Turn what orjson gave into the value; `ValueError` when it is not of this kind."""
    clickhouse: str
    arrow: pa.DataType


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(_not("a text", value))
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in INT64:
        raise ValueError(_not("a whole number of 64 bits", value))
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise ValueError(_not("a finite number", value))
    return float(value)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(_not("true or false", value))
    return value


def _decimal(value: object) -> Decimal:
    if not isinstance(value, str) or not _DECIMAL_TEXT.fullmatch(value):
        raise ValueError(_not("a decimal string", value))
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if not (isinstance(exponent, int) and exponent >= -_PLACES and number.adjusted() < _PLACES):
        raise ValueError(_not(f"a decimal of {_PLACES} digits on each side of the point", value))
    return canonical(number)


def canonical(number: Decimal) -> Decimal:
    """Return the one form of a number: without zeros it does not need, without an exponent.

    Reckoning keeps the zeros of what it began with, and a table keeps none: what a flow concludes
    must not depend on where its tape was read.

    Examples
    --------
    >>> [canonical(Decimal(text)) for text in ("0.0100", "1E+2", "-0.0")]
    [Decimal('0.01'), Decimal('100'), Decimal('0')]

    """
    if not number:
        return Decimal(0)
    short = number.normalize(_EXACT)
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal(1), context=_EXACT) if exponent > 0 else short  # type: ignore[operator]


def _numbers(value: object) -> dict[str, float]:
    if not isinstance(value, dict):
        raise ValueError(_not("an object of numbers", value))
    return {name: _number(number) for name, number in value.items()}


def _levels(value: object) -> list[tuple[float, float]]:
    if not isinstance(value, list):
        raise ValueError(_not("a list of [price, size]", value))
    levels = []
    for level in value:
        if not isinstance(level, list) or len(level) != 2:  # noqa: PLR2004 - price and size
            raise ValueError(_not("[price, size]", level))
        price, size = level
        if not (type(price) is type(size) is float and 0 < price < inf and 0 < size < inf):
            price, size = _number(price), _number(size)
            if price <= 0 or size <= 0:
                raise ValueError(_not("a price and a size above 0", level))
        levels.append((price, size))
    return levels


def _one_of(words: object) -> Form:
    known = get_args(words)

    def read(value: object) -> str:
        if value not in known:
            raise ValueError(_not(f"one of {', '.join(known)}", value))
        return str(value)

    return Form(read, _TEXT.clickhouse, _TEXT.arrow)


def _optional(form: Form) -> Form:
    return Form(
        lambda value: None if value is None else form.read(value),
        f"Nullable({form.clickhouse})",
        form.arrow,
    )


def _not(wanted: str, value: object) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} is not {wanted}"  # noqa: PLR2004


_TEXT = Form(_text, "String", pa.string())
_TIME = Form(_whole, "DateTime64(9, 'UTC')", pa.timestamp("ns", "UTC"))
_WHOLE = Form(_whole, "Int64", pa.int64())
_NUMBER = Form(_number, "Float64", pa.float64())
_DECIMAL = Form(_decimal, f"Decimal({2 * _PLACES}, {_PLACES})", pa.decimal256(2 * _PLACES, _PLACES))

FORMS = {
    "str": _TEXT,
    "Side": _one_of(Side),
    "Aggressor": _one_of(Aggressor),
    "Unit": _one_of(Unit),
    "OrderKind": _one_of(OrderKind),
    "Purpose": _one_of(Purpose),
    "int": _WHOLE,
    "Time": _TIME,
    "Time | None": _optional(_TIME),
    "float": _NUMBER,
    "float | None": _optional(_NUMBER),
    "bool": Form(_truth, "Bool", pa.bool_()),
    "Decimal": _DECIMAL,
    "Decimal | None": _optional(_DECIMAL),
    "Numbers": Form(_numbers, "Map(String, Float64)", pa.map_(pa.string(), pa.float64())),
    "Levels": Form(
        _levels,
        "Array(Tuple(price Float64, size Float64))",
        pa.list_(pa.struct([("price", pa.float64()), ("size", pa.float64())])),
    ),
}
"""By the text of the annotation."""


def _forms(kind: type) -> dict[str, Form]:
    return {f.name: FORMS[str(f.type)] for f in fields(kind) if f.name != "at"}


forms: Callable[[type], dict[str, Form]] = cache(_forms)
"""Return the form of each field of an event class, but of its log position."""
