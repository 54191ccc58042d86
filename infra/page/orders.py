"""Halt, resume and flatten from the page: shown first, said only when it is confirmed."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from connectors.venue.venue import split
from infra.deploy.deployment import KAFKA
from infra.deploy.flow_board import Flow
from infra.executor.leaving import held_by
from infra.page.desk import Desk, told
from infra.page.refusal import BAD, CONFLICT, LOG_DOWN, NOT_FOUND, Refusal
from infra.saying import pass_on
from infra.settings import Settings
from infra.trading.telling import Word, purses_of
from schemas.mendable import Mendable

_WHAT = {
    "halt": "Enters nothing, and calls off what is about to enter; what is held keeps its stops.",
    "resume": "Enters again.",
    "flatten": "Sells what is held, at once, and enters nothing more.",
}
_TYPED = {"flatten"}
"""Actions whose flow must be named by who confirms them: they cost money."""
_SECONDS = 60.0
_WAITING, _MARKETS = 50, 100
_FLOW = re.compile(r"\w[\w.-]{0,100}")


class Asked(NamedTuple):
    """A command that waits to be confirmed."""

    word: Word
    kafka: tuple[bool, ...]
    """On which logs it is said."""
    typed: str
    until: float


class Orders:
    """What is commanded from the page.

    Parameters
    ----------
    settings
        Know the home.
    desk
        Knows what is deployed.
    clock
        Ours, in seconds.

    """

    def __init__(
        self, settings: Settings, desk: Desk, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings, self._desk, self._clock = settings, desk, clock
        self._waiting: dict[str, Asked] = {}
        self._lock = Lock()

    def prepare(self, body: object) -> dict[str, Any]:
        """Return what a command would do, and the token that confirms it, which works once.

        Raises
        ------
        Refusal
            When it is none, or nobody hears it.

        """
        word = _word(body)
        found = [
            flow for flow in self._desk.flows() if Path(flow.deployment.flow).stem == word.flow
        ]
        hearing = [flow for flow in found if told(flow)["commandable"]]
        if not found:
            raise Refusal(NOT_FOUND, f"no flow {word.flow!r} is deployed here: deck flows")
        if not hearing:
            raise Refusal(CONFLICT, f"{word.flow} does not run, or on a recording: nobody hears it")
        typed = word.flow if word.action in _TYPED else ""
        kafka = tuple(sorted({flow.deployment.kind == KAFKA for flow in hearing}))
        confirm, until = secrets.token_urlsafe(24), self._clock() + _SECONDS
        with self._lock:
            now = self._clock()
            kept = [(name, one) for name, one in self._waiting.items() if one.until > now]
            self._waiting = dict(kept[-_WAITING:])
            self._waiting[confirm] = Asked(word, kafka, typed, until)
        return {
            "confirm": confirm,
            "expires": round(until * 1_000),
            "type": typed or None,
            "says": list(_says(word, hearing)),
            "held": self._held(word, hearing),
        }

    def say(self, body: object) -> dict[str, Any]:
        """Say a command that was confirmed; return who hears it.

        Raises
        ------
        Refusal
            When it was not, or not in time, or it cannot be said.

        """
        confirm, typed = _text(body, "confirm"), _text(body, "typed")
        with self._lock:
            asked = self._waiting.pop(confirm, None)
        if asked is None or asked.until <= self._clock():
            raise Refusal(CONFLICT, "it was confirmed before, or too late: ask for it again")
        if asked.typed and typed != asked.typed:
            raise Refusal(CONFLICT, f"type {asked.typed} to confirm it; nothing was said")
        try:
            heard = [pass_on(asked.word, self._settings, kafka=kafka) for kafka in asked.kafka]
        except Mendable as error:
            raise Refusal(LOG_DOWN, f"it could not be said: {error}") from error
        lines = list(dict.fromkeys(line for one in heard for line in one.lines))
        action = f"{asked.word.action}: "
        done = [line.text for line in lines if line.text.startswith(action)]
        return {
            "done": "; ".join(done),
            "notes": [line.text for line in lines if line.text not in done],
        }

    def _held(self, word: Word, hearing: list[Flow]) -> list[dict[str, str]]:
        """Return what is held, as flows and executors have it."""
        held = {
            market: position
            for flow in hearing
            for market, position in flow.positions.items()
            if not word.markets or market in word.markets
        }
        try:
            for left in held_by(self._settings, purses_of(self._settings, "")):
                if left.flow == word.flow and (not word.markets or left.market in word.markets):
                    held[left.market] = f"{left.what} ({left.purse})"
        except Mendable as error:
            raise Refusal(CONFLICT, f"what is held cannot be seen: {error}") from error
        return [{"market": market, "position": what} for market, what in sorted(held.items())]


def _says(word: Word, hearing: list[Flow]) -> list[str]:
    where = f"in {', '.join(word.markets)}" if word.markets else "in all its markets"
    names = ", ".join(flow.deployment.name for flow in hearing)
    brokers = sorted({flow.deployment.broker for flow in hearing})
    return [
        f"{word.action}: the flow {word.flow}, {where}",
        _WHAT[word.action],
        f"It is heard by {names} ({', '.join(brokers)}).",
    ]


def _word(body: object) -> Word:
    action, flow = _text(body, "action"), _text(body, "flow")
    markets = body.get("markets", []) if isinstance(body, dict) else []
    if action not in _WHAT:
        raise Refusal(BAD, f"action {action!r}: say {', '.join(_WHAT)}")
    if not _FLOW.fullmatch(flow):
        raise Refusal(BAD, f"flow {flow!r}: name one, as /api/desk has it")
    if not isinstance(markets, list) or len(markets) > _MARKETS:
        raise Refusal(BAD, f"markets: a list of names, at most {_MARKETS}")
    for name in markets:
        if not isinstance(name, str) or not name.isprintable():
            raise Refusal(BAD, "markets: each a name such as binance:BTC/USDT")
        try:
            split(name)
        except ValueError as error:
            raise Refusal(BAD, f"markets: {error}") from None
    return Word(action, flow, tuple(sorted({*markets})))


def _text(body: object, name: str) -> str:
    found = body.get(name, "") if isinstance(body, dict) else None
    if not isinstance(found, str):
        raise Refusal(BAD, f'the body is JSON such as {{"{name}": "text"}}')
    return found
