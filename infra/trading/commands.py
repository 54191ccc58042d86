"""`deck halt`, `reduce`, `resume`, `flatten`, `close`: what a person tells flows and executors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from connectors.venue.venue import split
from infra.executor.leaving import held_by, leave
from infra.listed import listed
from infra.running.problems import explained
from infra.saying import pass_on
from infra.screen import Misused, out, say, told
from infra.settings import Settings
from infra.trading.telling import Word, purses_of

_Flow = Annotated[str, typer.Option(help="The flow it is for: its file's name without .py.")]
_Market = Annotated[
    str, typer.Option(help="The markets it is for: full names with commas between.")
]
_All = Annotated[bool, typer.Option("--all", help="All flows in all markets.")]
_Account = Annotated[
    str,
    typer.Option(
        help="Only the executor of this account, besides the tapes.", show_default="all of them"
    ),
]
_Kafka = Annotated[bool, typer.Option("--kafka", help="The log is Kafka, not the embedded one.")]
_NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait until all is sold.")]
_Patience = Annotated[
    float, typer.Option(min=0.0, help="Seconds to wait, at most, until all is sold.")
]

_ODD = "yellow"


def _door(action: str, what: str) -> Callable[..., None]:
    def command(
        flow: _Flow = "",
        market: _Market = "",
        everything: _All = False,
        account: _Account = "",
        kafka: _Kafka = False,
    ) -> None:
        with told(), explained(resumable=False):
            word = _word(action, flow, market, everything=everything)
            _say(word, Settings.from_environment(), account, kafka=kafka)

    command.__doc__ = what
    return command


def _leaving_door(action: str, what: str) -> Callable[..., None]:
    def command(
        flow: _Flow = "",
        market: _Market = "",
        everything: _All = False,
        account: _Account = "",
        kafka: _Kafka = False,
        no_wait: _NoWait = False,
        patience: _Patience = 60.0,
    ) -> None:
        with told(), explained(resumable=False):
            word = _word(action, flow, market, everything=everything)
            settings = Settings.from_environment()
            was = held_by(settings, purses_of(settings, account))
            purses = _say(word, settings, account, kafka=kafka)
            if not no_wait and not leave(word, settings, purses, patience, was):
                raise typer.Exit(1)

    command.__doc__ = what
    return command


halt = _door(
    "halt", "Enter nothing, and call off what is about to enter; what is held keeps its stops."
)
reduce = _door("reduce", "Enter nothing more; what is held goes on to its end.")
resume = _door("resume", "Enter again.")
flatten = _leaving_door(
    "flatten", "Sell what is held, at once, and enter nothing more; end with what is left."
)
close = _leaving_door("close", "Sell what is held, at once; then go on. End with what is left.")


def _word(action: str, flow: str, market: str, *, everything: bool) -> Word:
    markets = tuple(sorted(listed(market)))
    if everything == bool(flow or markets):
        raise Misused(f"deck {action}: say for whom: --flow NAME, --market NAME, or --all")
    for name in markets:
        split(name)
    return Word(action, flow, markets)


def _say(word: Word, settings: Settings, account: str, *, kafka: bool) -> list[str]:
    """Say it, and tell who hears it; return whose executors were told."""
    heard = pass_on(word, settings, account, kafka=kafka)
    for line in heard.lines:
        if line.odd:
            say(line.text, _ODD)
        else:
            out.print(line.text, highlight=False)
    return heard.purses
