"""The order queue: what flows and people ask of an account's executor, durably and in order.

It is a log as the market log is; its key is the account.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias, TypeVar

import orjson

from connectors.log.log import Appender, Entry
from schemas import SECOND, Command, Event, Order, Position, Reject, Time
from schemas.tables import Record
from schemas.wire import VERSION, Unreadable, encode, read, whole


class Asked(NamedTuple):
    """A flow asks for an order."""

    account: str
    flow: str
    run: str
    order: Order


class Alive(NamedTuple):
    """A flow says that it is there."""

    account: str
    flow: str
    run: str
    markets: list[str]
    """Where it may hold something."""
    stamp: Time
    """Its own clock."""


class Told(NamedTuple):
    """A person tells the executor something; a market or flow that is empty means all of them."""

    account: str
    command: Command


Ask: TypeAlias = Asked | Alive | Told
_Wanted = TypeVar("_Wanted", Order, Command)


def encode_ask(ask: Ask) -> bytes:
    """Return the JSON of a message.

    Examples
    --------
    >>> encode_ask(Alive("main", "demo", "1f", ["okx:A"], 7))
    b'{"type":"Alive","v":1,"account":"main","flow":"demo","run":"1f","markets":["okx:A"],"stamp":7}'

    """
    body = ask._asdict()
    for name, value in body.items():
        if isinstance(value, (Order, Command)):
            body[name] = orjson.Fragment(encode(value))
    return orjson.dumps({"type": type(ask).__name__, "v": VERSION, **body})


def read_ask(message: bytes) -> Ask:
    """Return what a message says.

    Raises
    ------
    Unreadable
        When it says nothing that is known; the error tells why.

    Examples
    --------
    >>> read_ask(b'{"type":"Asked","v":1,"account":"main"}')
    Traceback (most recent call last):
    schemas.wire.Unreadable: flow: None is not a text

    """
    try:
        body = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error}") from None
    if not isinstance(body, dict):
        raise Unreadable(f"not an object, but a {type(body).__name__}")
    if body.get("v") != VERSION:
        raise Unreadable(f"version {body.get('v')!r}, and this Tapedeck reads {VERSION}")
    kind = body.get("type")
    if kind not in ("Asked", "Alive", "Told"):
        raise Unreadable(f"unknown type {kind!r}")
    account = _text(body, "account")
    if kind == "Told":
        return Told(account, _event(body, "command", Command))
    flow, run = _text(body, "flow"), _text(body, "run")
    if kind == "Asked":
        return Asked(account, flow, run, _event(body, "order", Order))
    return Alive(account, flow, run, _markets(body), _stamp(body))


def ask_of(entry: Entry, partition: str) -> Ask | Reject:
    """Return what a message of the queue says, or a `Reject` that holds all of it and says why."""
    try:
        ask = read_ask(entry.message)
    except Unreadable as error:
        why = str(error)
    else:
        if ask.account == entry.market:
            return ask
        why = f"for {ask.account!r} in a message of {entry.market!r}"
    return Reject("unknown", 0, why, whole(entry.message), Position(partition, entry.offset))


def _text(body: dict[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"{name}: {value!r} is not a text")
    return value


def _markets(body: dict[str, object]) -> list[str]:
    value = body.get("markets")
    if not isinstance(value, list) or not all(isinstance(market, str) for market in value):
        raise Unreadable(f"markets: {value!r} is not a list of texts")
    return value


def _stamp(body: dict[str, object]) -> Time:
    value = body.get("stamp")
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"stamp: {value!r} is not a whole number")
    return value


def _event(body: dict[str, object], name: str, kind: type[_Wanted]) -> _Wanted:
    event: Event = read(orjson.dumps(body.get(name)))
    if not isinstance(event, kind):
        raise Unreadable(f"{name}: a {type(event).__name__} is no {kind.__name__}")
    return event


class OrdersOutlet:
    """Hand each order of a flow to its account's executor, and each second a sign of life.

    A sign of life comes only while the engine's own loop turns: a flow that hangs is silent.

    Parameters
    ----------
    appender
        Of the order queue.
    account, flow, run
        Whose orders they are.
    clock
        Ours.

    """

    def __init__(
        self,
        appender: Appender,
        account: str,
        flow: str,
        run: str,
        clock: Callable[[], Time] = time.time_ns,
    ) -> None:
        self._appender, self._clock = appender, clock
        self._account, self._flow, self._run = account, flow, run
        self._markets: dict[str, None] = {}
        self._said: Time = 0

    def resume(self, state: Mapping[str, object] | None) -> None:
        """Go on: where orders were traded before, something may still be held."""
        self._markets = dict.fromkeys(state or ())

    def write(self, records: list[Record]) -> None:
        """Hand over the orders among a market's next records, at once."""
        for _, event in records:
            self._markets[event.market] = None
            if isinstance(event, Order):
                self._append(Asked(self._account, self._flow, self._run, event))
        self.live()

    def snapshot(self) -> Mapping[str, object]:
        """Return when all that was handed over is durable."""
        self.live()
        self._appender.flush()
        return dict(self._markets)

    def close(self) -> None:
        """Finish."""
        self._appender.close()

    def live(self) -> None:
        """Give a sign of life, if it is time: a tape may be quiet, and nothing concluded on it."""
        now = self._clock()
        if now - self._said >= SECOND:
            self._said = now
            markets = list(self._markets)
            self._append(Alive(self._account, self._flow, self._run, markets, now))

    def _append(self, ask: Ask) -> None:
        self._appender.append(self._account, encode_ask(ask))
