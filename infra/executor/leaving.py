"""Waiting until executors have sold what they were told to sell."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from typing import NamedTuple

from rich import box
from rich.table import Table

from connectors.blotter.position import Key
from connectors.outbox.file import FILE
from connectors.outbox.outbox import OutboxView
from infra.intake.watching import Watching
from infra.screen import out, say
from infra.settings import Settings
from infra.trading.telling import Word
from infra.trading.trading import executes, executor_home

_LOOK_SECONDS = 0.1


class Left(NamedTuple):
    """What is held, or about to be."""

    purse: str
    flow: str
    market: str
    what: str
    why: str
    key: Key | None = None
    """Which position it is, if it is one."""


def held_by(settings: Settings, purses: Iterable[str]) -> list[Left]:
    """Return what executors of this machine hold and are about to enter, running or not.

    Raises
    ------
    OutboxError
        When an outbox cannot be read.

    """
    return [left for name in purses if _seen(settings, name) for left in _held(settings, name)]


def leave(
    word: Word, settings: Settings, purses: Iterable[str], seconds: float, was: Iterable[Left] = ()
) -> bool:
    """Wait until nothing that was meant is held any more, and show it; whether that was seen.

    Parameters
    ----------
    word
        What was said.
    settings
        Know the home.
    purses
        Whose executors were told.
    seconds
        How long to wait, at most. For one that does not run nobody waits.
    was
        What was held before it was said.

    """
    deadline = time.monotonic() + seconds
    names = list(purses)
    unseen = [name for name in names if not _seen(settings, name)]

    def left() -> list[Left]:
        return [found for found in held_by(settings, names) if _meant(word, found)]

    rest = left()
    with Watching() as watching, suppress(KeyboardInterrupt):  # what is left is told all the same
        while (
            any(executes(settings, found.purse) for found in rest) and time.monotonic() < deadline
        ):
            watching.show(table(rest), [])
            time.sleep(_LOOK_SECONDS)
            rest = left()
    for name in unseen:
        say(f"what {name} holds is seen only where its executor runs: look there", "yellow")
    if rest:
        out.print(table(rest))
    elif len(unseen) < len(names):
        dust = list(_dust(settings, [left for left in was if _meant(word, left)]))
        but = f", but for what is too little to sell: {', '.join(dust)}" if dust else ""
        out.print(f"nothing of it is held any more{but}", highlight=False)
    return not (rest or unseen)


def table(rest: Iterable[Left]) -> Table:
    """Return it as a table."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("account", "flow", "market"):
        grid.add_column(name, no_wrap=True)
    grid.add_column("left")
    grid.add_column("state")
    for found in rest:
        grid.add_row(found.purse, found.flow, found.market, found.what, found.why)
    return grid


def _seen(settings: Settings, name: str) -> bool:
    return (executor_home(settings, name) / FILE).exists()


def _held(settings: Settings, name: str) -> Iterator[Left]:
    with closing(OutboxView(executor_home(settings, name))) as view:
        for holding in view.holdings():
            what = f"{holding.side} {holding.held.normalize():f}"
            state = f"{holding.stage}: {holding.why}" if holding.why else holding.stage
            yield Left(name, holding.flow, holding.market, what, state, holding.key)
        for slip in view.slips():
            if slip.purpose == "enter":
                what = f"enters: {slip.side} {slip.amount.normalize():f}"
                yield Left(name, slip.flow, slip.market, what, slip.status)


def _dust(settings: Settings, was: Iterable[Left]) -> Iterator[str]:
    """Return what is left of positions that are over."""
    for left in was:
        if left.key is not None:
            with closing(OutboxView(executor_home(settings, left.purse))) as view:
                holding = view.holding(left.key)
            if holding is not None and holding.held > 0:
                yield f"{holding.held.normalize():f} in {holding.market}"


def _meant(word: Word, found: Left) -> bool:
    return word.flow in ("", found.flow) and (not word.markets or found.market in word.markets)
