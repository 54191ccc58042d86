"""The wire form: one message is one event, as JSON; `Trades` as columns."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from contextlib import suppress
from dataclasses import MISSING, fields
from decimal import Decimal
from itertools import islice
from operator import gt, lt
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from schemas import DERIVED, OUTSIDE, Book, Event, Outside, Position, Reject, Time, Trades, as_ids
from schemas.forms import INT64, forms
from schemas.trades import Ids

VERSION = 1
"""Of all schemas together; a reader takes its own and older ones."""

_KINDS = {kind.__name__: kind for kind in (*OUTSIDE, *DERIVED)}
_REQUIRED = {
    name: frozenset(f.name for f in fields(kind) if f.default is MISSING)
    for name, kind in _KINDS.items()
}


class Unreadable(ValueError):
    """A message that is not an event; its text says why."""

    market: str | None = None
    """What it could be read so far as to tell."""
    ts: Time = 0


def encode(event: Event) -> bytes:
    """Return the JSON of an event. The log keeps its position itself.

    Examples
    --------
    >>> from schemas import Heartbeat
    >>> encode(Heartbeat("binance:BTC/USDT", 7))
    b'{"type":"Heartbeat","v":1,"market":"binance:BTC/USDT","ts":7,"stamp":-1,"received":null}'

    """
    body = _columns(event) if isinstance(event, Trades) else plain(event)
    return orjson.dumps(
        {"type": type(event).__name__, "v": VERSION, "market": event.market, **body},
        default=decimals,
        option=orjson.OPT_SERIALIZE_NUMPY,
    )


def plain(event: Event) -> dict[str, Any]:
    """Return the fields of an event that is no `Trades`, but its log position."""
    return {name: getattr(event, name) for name in forms(type(event))}


def read(message: bytes | str, at: Position | None = None) -> Event:
    """Return the event of a message.

    Raises
    ------
    Unreadable
        When it is none; the error tells the market and the time, as far as they could be read.

    Examples
    --------
    >>> read(b'{"type":"Heartbeat","v":1,"market":"binance:BTC/USDT","ts":7}').ts
    7

    """
    body: dict[str, Any] = {}
    try:
        body = _object(message)
        return _event(body, at)
    except (Unreadable, OverflowError) as error:
        told = error if isinstance(error, Unreadable) else Unreadable(str(error))
        if isinstance(body.get("market"), str):
            told.market = body["market"]
        if type(body.get("ts")) is int and body["ts"] in INT64:
            told.ts = body["ts"]
        raise told from None


def decode(message: bytes | str, at: Position | None = None) -> Event:
    """Return the event of a message, or a `Reject` that holds all of it and says why.

    Examples
    --------
    >>> decode(b'{"type":"Heartbeat","v":1,"market":"binance:BTC/USDT","ts":"7"}').why
    "ts: '7' is not a whole number of 64 bits"
    >>> decode(b'{"type":"Heartbeat","v":9}').why
    'version 9 is newer than 1: upgrade Tapedeck to read it'

    """
    try:
        return read(message, at)
    except Unreadable as error:
        return Reject(error.market or "unknown", error.ts, str(error), whole(message), at)


def whole(message: bytes | str) -> str:
    """Return all of a message as a text that UTF-8 can keep."""
    if isinstance(message, str):
        message = message.encode(errors="backslashreplace")
    return message.decode(errors="backslashreplace")


def _object(message: bytes | str) -> dict[str, Any]:
    try:
        body = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        msg = f"not JSON: {error}"
        raise Unreadable(msg) from None
    if not isinstance(body, dict):
        msg = f"not an object, but a {type(body).__name__}"
        raise Unreadable(msg)
    return body


def _event(body: dict[str, Any], at: Position | None) -> Event:
    version = body.get("v")
    if type(version) is not int or version < 1:
        msg = f"version {version!r} is not a whole number from 1 on"
        raise Unreadable(msg)
    if version > VERSION:
        msg = f"version {version} is newer than {VERSION}: upgrade Tapedeck to read it"
        raise Unreadable(msg)
    name = body.get("type")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        msg = f"unknown type {name!r}"
        raise Unreadable(msg)
    return _trades(body, at) if kind is Trades else _plain_event(kind, body, at)


def _plain_event(kind: type[Event], body: dict[str, Any], at: Position | None) -> Event:
    values = {}
    for name, form in forms(kind).items():
        if name not in body:
            continue
        try:
            values[name] = form.read(body[name])
        except ValueError as error:
            msg = f"{name}: {error}"
            raise Unreadable(msg) from None
    required = _REQUIRED[kind.__name__]
    if not values.keys() >= required:
        missing = [name for name in forms(kind) if name in required - values.keys()]
        msg = f"no field {', '.join(missing)}"
        raise Unreadable(msg)
    born: Callable[..., Event] = kind
    event = born(**values)
    if isinstance(event, Book):
        _check_book(event)
    if isinstance(event, Outside):
        event.at = at  # type: ignore[misc]
    return event


def _check_book(book: Book) -> None:
    bids, asks = [price for price, _ in book.bids], [price for price, _ in book.asks]
    if not (
        all(map(gt, bids, islice(bids, 1, None))) and all(map(lt, asks, islice(asks, 1, None)))
    ):
        msg = "levels are not ordered from the best on"
        raise Unreadable(msg)
    if bids and asks and bids[0] >= asks[0]:
        msg = f"crossed: best bid {bids[0]} is not below best ask {asks[0]}"
        raise Unreadable(msg)


_COLUMNS: dict[str, type[np.number]] = {
    "ts": np.int64,
    "price": np.float64,
    "size": np.float64,
    "side": np.int8,
}
_CODES: dict[type[np.number], str] = {np.int64: "q", np.float64: "d", np.int8: "b"}
"""Of arrays: those take numbers of their kind only, and do so twice as fast as numpy."""


def _columns(trades: Trades) -> dict[str, Any]:
    ids = trades.id
    body: dict[str, Any] = {name: np.ascontiguousarray(getattr(trades, name)) for name in _COLUMNS}
    body["ts"] = np.ascontiguousarray(trades.stamp)
    if ids is not None:
        body["id"] = ids.tolist()
    if trades.received is not None:
        body["received"] = np.ascontiguousarray(trades.received)
    return body


def _trades(body: dict[str, Any], at: Position | None) -> Trades:
    if not isinstance(body.get("market"), str):
        msg = f"market: {body.get('market')!r} is not a text"
        raise Unreadable(msg)
    columns = {name: _column(name, body.get(name), kind) for name, kind in _COLUMNS.items()}
    received = body.get("received")
    if received is not None:
        received = _column("received", received, np.int64)
    try:
        trades = Trades.of(
            body["market"], **columns, id=_ids(body.get("id")), received=received, at=at
        )
    except ValueError as error:
        raise Unreadable(str(error)) from None
    if not len(trades):
        msg = "no rows"
        raise Unreadable(msg)
    if not (_good_few(body) if len(trades) < _FEW else _good(trades)):
        name, bad = next((name, bad) for name, bad in wrong(trades).items() if bad.any())
        msg = f"{name}: {getattr(trades, name)[bad].tolist()[0]!r} in row {int(bad.argmax())}"
        raise Unreadable(msg)
    return trades


_LEAST, _MOST = 1e-50, 1e100
"""Between them lie all prices and sizes; sums and products of such numbers neither overflow nor
lose a bit that counts."""


_FEW = 48
"""Of fewer rows plain Python is faster than numpy."""


def _good_few(body: dict[str, Any]) -> bool:
    """Tell it of columns that are lists of numbers."""
    price, size, side = body["price"], body["size"], body["side"]
    return bool(
        min(body["ts"]) > 0
        and min(price) > _LEAST
        and max(price) < _MOST
        and min(size) > _LEAST
        and max(size) < _MOST
        and min(side) >= -1
        and max(side) <= 1
    )


def _good(trades: Trades) -> bool:
    """Tell at little cost whether nothing is `wrong`; JSON has no NaN."""
    columns = trades.columns
    return bool(
        columns.ts.min() > 0
        and columns.price.min() > _LEAST
        and columns.price.max() < _MOST
        and columns.size.min() > _LEAST
        and columns.size.max() < _MOST
        and columns.side.min() >= -1
        and columns.side.max() <= 1
    )


def wrong(trades: Trades) -> dict[str, NDArray[np.bool_]]:
    """Return, for each column, which of its rows no trade can have."""
    price, size = trades.price, trades.size
    return {
        "ts": trades.ts <= 0,
        "price": ~((price > _LEAST) & (price < _MOST)),
        "size": ~((size > _LEAST) & (size < _MOST)),
        "side": (trades.side > 1) | (trades.side < -1),
    }


def _column(name: str, values: object, kind: type[np.number]) -> NDArray[Any]:
    if not isinstance(values, list):
        raise _not_a_list(name)
    try:
        column = np.frombuffer(array(_CODES[kind], values), kind)
    except TypeError:
        raise _not_a_list(name) from None
    except OverflowError:
        msg = f"{name}: a number of more than {np.dtype(kind).itemsize * 8} bits"
        raise Unreadable(msg) from None
    if _has_bool(column, values):
        raise _not_a_list(name)
    return column


def _ids(values: object) -> Ids | None:
    if values is None:
        return None
    if not isinstance(values, list):
        raise _not_a_list("id")
    with suppress(TypeError, OverflowError):
        column = np.frombuffer(array("q", values), np.int64)
        if not _has_bool(column, values):
            return column
    if {*map(type, values)} not in ({int}, {str}):
        raise _not_a_list("id")
    return as_ids(values)


def _has_bool(column: NDArray[Any], values: list[object]) -> bool:
    """Tell whether there was a bool, which an array takes for 0 or 1."""
    looked = len(values) < _FEW or bool(column.min() <= 1)
    return looked and bool in map(type, values)


def _not_a_list(name: str) -> Unreadable:
    if name == "id":
        return Unreadable("id: not a list of whole numbers, nor one of texts")
    whole = name not in ("price", "size")
    return Unreadable(f"{name}: not a list of {'whole ' if whole else ''}numbers")


def decimals(value: object) -> str:
    """Return a decimal as a string; orjson asks for what it does not know."""
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(repr(value))
