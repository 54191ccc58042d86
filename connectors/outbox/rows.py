"""How the outbox keeps a record: as JSON of its fields, each in the form that its event has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import orjson

from schemas.forms import forms
from schemas.wire import decimals

_Kind = TypeVar("_Kind")


def pack(record: object) -> bytes:
    """Return a record as JSON.

    Examples
    --------
    >>> from connectors.blotter.order import Slip
    >>> from decimal import Decimal
    >>> unpack(Slip, pack(Slip("a", "okx:A/B", "buy", "market", Decimal(3)))).amount
    Decimal('3')

    """
    body = {name: getattr(record, name) for name in forms(type(record))}
    return orjson.dumps(body, default=decimals)


def unpack(kind: Callable[..., _Kind], body: bytes) -> _Kind:
    """Return the record of a class that was packed; what it did not have yet is as at first."""
    known = forms(kind)  # type: ignore[arg-type]  # a class, whose fields it asks for
    values = orjson.loads(body)
    return kind(**{name: known[name].read(value) for name, value in values.items()})
