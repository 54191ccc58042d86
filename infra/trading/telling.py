"""What a person tells flows and executors: on every tape it concerns, and in the order queue."""

from __future__ import annotations

import getpass
import socket
import time
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from connectors.executor.order_queue import Told, encode_ask
from connectors.log.tail import markets_of
from infra.log.places import Place
from infra.settings import Settings
from infra.trading.switches import Broker, purse
from infra.trading.trading import executor_home
from schemas import Command
from schemas.wire import encode


@dataclass(frozen=True)
class Word:
    """What is said, and to whom.

    Parameters
    ----------
    action
        `halt`, `reduce`, `resume`, `flatten` or `close`.
    flow
        The flow it is for; empty for all.
    markets
        The markets it is for; empty for all.

    """

    action: str
    flow: str = ""
    markets: tuple[str, ...] = ()

    def commands(self, markets: Iterable[str]) -> list[Command]:
        """Return it as events for these markets' tapes."""
        now, who = time.time_ns(), f"{getpass.getuser()}@{socket.gethostname()}"
        return [Command(market, now, self.action, self.flow, who) for market in markets]


def known_markets(log: Place, others: Iterable[str]) -> list[str]:
    """Return the markets that the end of a log has, and others, each once."""
    with closing(log.log()) as reader:
        return sorted({*markets_of(reader), *others})


def tell(word: Word, log: Place, queue: Place, known: Collection[str], purses: list[str]) -> int:
    """Say it: to the executors first, which obey at once, then on the tapes; on how many.

    Parameters
    ----------
    word
        What is said.
    log, queue
        Where it is written.
    known
        All markets, for what is meant for all.
    purses
        Whose executors are told.

    Raises
    ------
    LogError
        When it cannot be written.

    """
    if purses:
        with closing(queue.appender()) as appender:
            for name in purses:
                for command in word.commands(word.markets or ("",)):
                    appender.append(name, encode_ask(Told(name, command)))
    tapes = word.commands(word.markets or known)
    with closing(log.appender()) as appender:
        for command in tapes:
            appender.append(command.market, encode(command))
    return len(tapes)


def purses_of(settings: Settings, account: str) -> list[str]:
    """Return the purses that have, or had, an executor here; of an account that has none, both.

    Parameters
    ----------
    settings
        Know the home.
    account
        Only those of this one; empty for all.

    """
    homes = sorted(executor_home(settings, "").glob("*-*"))
    found = [_purse(home) for home in homes if home.is_dir()]
    if not account:
        return found
    own = [name for name in found if name.rpartition(":")[0] == account]
    return own or [purse(account, broker) for broker in (Broker.SANDBOX, Broker.LIVE)]


def _purse(home: Path) -> str:
    account, _, broker = home.name.rpartition("-")
    return f"{account}:{broker}"
