"""Passing on what a person says, and telling who hears it."""

from __future__ import annotations

from typing import NamedTuple

from infra.executor.leaving import held_by
from infra.log.places import order_queue, place
from infra.settings import Settings
from infra.trading.telling import Word, known_markets, purses_of, tell
from infra.trading.trading import executes, known_flows


class Line(NamedTuple):
    """What there is to tell of it."""

    text: str
    odd: bool = False
    """Whether the person should look."""


class Heard(NamedTuple):
    """Who hears it."""

    purses: list[str]
    """Whose executors were told."""
    lines: list[Line]


def pass_on(word: Word, settings: Settings, account: str = "", *, kafka: bool = False) -> Heard:
    """Say a word to executors and on tapes; return who hears it.

    Parameters
    ----------
    word
        What is said, and to whom.
    settings
        Know the home.
    account
        Only the executor of this one is told; empty for all.
    kafka
        Whether the log is Kafka.

    Raises
    ------
    LogError
        When it cannot be written.

    """
    log, queue = place(settings, kafka), order_queue(settings, kafka)
    purses = purses_of(settings, account)
    held = held_by(settings, purses)
    known = known_markets(log, (left.market for left in held))
    lines = []
    if word.flow and word.flow not in {*known_flows(settings), *(left.flow for left in held)}:
        unknown = f"no flow {word.flow} is known here"
        lines.append(_odd(f"{unknown}: is it spelled so? It is said anyway"))
    if strange := [name for name in word.markets if name not in known]:
        names = ", ".join(strange)
        lines.append(_odd(f"nothing is known of {names}: is it spelled so? It is said anyway"))
    count = tell(word, log, queue, known, purses)
    whose = f"the flow {word.flow}" if word.flow else "all flows"
    tapes = "the tape of 1 market" if count == 1 else f"the tapes of {count} markets"
    lines.append(Line(f"{word.action}: {whose}, on {tapes}"))
    lines += [_executor(name, settings) for name in purses]
    if not purses:
        lines.append(_odd("no executor was ever started here: only flows on paper hear it"))
    return Heard(purses, lines)


def _executor(name: str, settings: Settings) -> Line:
    if executes(settings, name):
        return Line(f"the executor of {name} is told")
    return _odd(
        f"no executor of {name} runs on this machine: wherever it is, it is told, at the "
        f"latest when it starts; till then nothing is sold or called off there"
    )


def _odd(text: str) -> Line:
    return Line(text, odd=True)
