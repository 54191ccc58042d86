"""Numbers of other data sources, as `Value` events on the tapes of their markets.

A number that matters to several markets is one event for each of them: no tape depends on another.
`ts` is the stamp that the source gives; where it gives none it is our clock when the number came,
not shifted by anything: it may be off from the exchange's. `received` is our clock, if we looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import orjson

from connectors.recordings.files import find
from connectors.recordings.lines import read_lines
from connectors.venue.venue import split
from schemas import Reject, Time, Value
from schemas.forms import INT64

UNKNOWN = "values:unknown"
"""The market of what cannot be read so far as to tell its own."""

_AT_ONCE = 10_000
"""Lines of a file."""


def values(
    series: str, markets: Sequence[str], numbers: Iterable[tuple[Time, float]]
) -> Iterator[Value]:
    """Yield numbers of one series, each for the tape of each of the markets that it is for.

    Examples
    --------
    >>> list(values("fear", ["binance:BTC/USDT"], [(7, 21.0)]))  # doctest: +ELLIPSIS
    [Value(market='binance:BTC/USDT', ts=7, series='fear', value=21.0, ...)]

    """
    for market in markets:
        split(market)
    for ts, number in numbers:
        value = finite(number, series)
        for market in markets:
            yield Value(market, ts, series, value)


def read_message(message: bytes | str, received: Time | None = None) -> list[Value | Reject]:
    """Return the values that a message of a topic, or a line of a file, tells.

    It is JSON: `market` (one full name, or a list of them), `series`, `value`, and `ts` in
    nanoseconds; without `ts`, the time is `received`.

    Examples
    --------
    >>> text = '{"market": ["okx:A/B", "okx:C/B"], "ts": 7, "series": "fear", "value": 21}'
    >>> [(value.market, value.value) for value in read_message(text)]
    [('okx:A/B', 21.0), ('okx:C/B', 21.0)]
    >>> read_message("{}")[0].why
    'series None is not a name'

    """
    try:
        return [*_told(message, received)]
    except ValueError as error:
        text = message if isinstance(message, str) else message.decode("utf-8", "backslashreplace")
        return [Reject(UNKNOWN, received or 0, str(error), text)]


def read_file(path: Path) -> Iterator[Value | Reject]:
    """Yield the values of a file with one message a line; it may be compressed."""
    for file in find([path]):
        for lines in read_lines(file, _AT_ONCE):
            for line in lines.split():
                if line:
                    yield from read_message(line)


def _told(message: bytes | str, received: Time | None) -> Iterator[Value]:
    body: Any = orjson.loads(message)
    if not isinstance(body, dict):
        msg = f"not an object, but a {type(body).__name__}"
        raise ValueError(msg)
    series, ts = body.get("series"), body.get("ts", received)
    if not isinstance(series, str) or not series:
        msg = f"series {series!r} is not a name"
        raise ValueError(msg)
    if ts is None:
        msg = "no ts: a time in nanoseconds, which each line of a file must tell"
        raise ValueError(msg)
    if type(ts) is not int or ts not in INT64:
        msg = f"ts {ts!r} is not a time in nanoseconds"
        raise ValueError(msg)
    value = finite(body.get("value"), "value")
    for market in _markets(body.get("market")):
        yield Value(market, ts, series, value, received=received)


def _markets(told: object) -> list[str]:
    told = told if isinstance(told, list) else [told]
    names = [name for name in told if isinstance(name, str)]
    if not names or len(names) != len(told):
        msg = f"market {told!r} is neither a full name nor a list of them"
        raise ValueError(msg)
    for name in names:
        split(name)
    return names


def finite(number: object, name: str) -> float:
    """Return a number that can be one of a tape; `ValueError` names what cannot."""
    if isinstance(number, (int, float)) and not isinstance(number, bool) and isfinite(number):
        return float(number)
    msg = f"{name} {number!r} is not a finite number"
    raise ValueError(msg)
