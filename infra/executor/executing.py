"""An executor at work in this process: made, watched, and stopped."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace

from connectors.account.account import TradingVenue
from connectors.account.keys import AccountKeys
from connectors.account.limits import Result
from connectors.blotter.modes import Mode, Scope
from connectors.blotter.order import Slip
from connectors.blotter.position import Holding
from connectors.disk import kept
from connectors.executor.executor import Executor
from connectors.executor.settings import ExecutorSettings
from connectors.executor.words import Hear, nobody
from connectors.log.log import Log
from connectors.outbox.file import OutboxError
from connectors.outbox.outbox import OutboxView
from connectors.venue.rate import Budget, budget
from infra.lock import Busy, Lock
from infra.log.places import Place
from infra.running.problems import ReplayError
from infra.settings import Settings
from infra.trading.switches import Broker, purse
from infra.trading.trading import executor_home

_LOOKS, _LOOK_SECONDS = 20, 0.05
_SWITCH_SECONDS = 0.001


@dataclass(frozen=True)
class Post:
    """What an executor is made for.

    Parameters
    ----------
    keys
        The account's.
    broker
        The exchange's sandbox, or the exchange.
    log, queue
        The market log, and the order queue.
    chosen
        How it is set.

    """

    keys: AccountKeys
    broker: Broker
    log: Place
    queue: Place
    chosen: ExecutorSettings
    settings: Settings

    @property
    def purse(self) -> str:
        """The name under which its orders are queued."""
        return purse(self.keys.account, self.broker)


@dataclass
class Standing:
    """How an executor stands."""

    state: str
    """Such as `reaching the exchange`."""
    known: bool = False
    """Whether the rest is; it is not as long as the outbox is not there."""
    orders: list[Slip] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    modes: dict[Scope, Mode] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    waiting: int = 0
    """Reports not known to be in the log."""
    troubles: list[str] = field(default_factory=list)
    compared: dict[str, int] = field(default_factory=dict)
    """Comparisons with the exchange since it was started, by how they went."""
    budget: Budget | None = None
    """What may be asked of the exchange; None before it is reached."""


class Executing:
    """The work of the one executor of a purse.

    Parameters
    ----------
    post
        What it is made for.
    tell
        Takes each line to be shown to a person.
    hear
        Is told, in a thread, of each report and command that is in the log.

    """

    def __init__(self, post: Post, tell: Callable[[str], None], hear: Hear = nobody) -> None:
        self.post, self._tell, self._hear = post, tell, hear
        self._home = executor_home(post.settings, post.purse)
        self._executor: Executor | None = None
        self._stopped = False

    def run(self) -> Standing:
        """Work until `stop`.

        Raises
        ------
        ReplayError
            When another executor of the purse runs here.

        """
        # The loop, the queue's reader and the disk's thread wait for each other, and for little.
        sys.setswitchinterval(_SWITCH_SECONDS)
        with closing(self._alone()), closing(self.post.queue.log()) as queue:
            asyncio.run(self._run(queue))
        return replace(self.at(), state="stopped")

    def stop(self) -> None:
        """Let it end when open entries are called off; from any thread."""
        self._stopped = True
        if self._executor is not None:
            self._executor.stop()

    def at(self) -> Standing:
        """Return how it stands; from any thread."""
        executor = self._executor
        troubles = {} if executor is None else dict(executor.troubles.present)
        compared = {} if executor is None else dict(executor.hands.compared)
        asked = None if executor is None else budget(executor.venue.client)
        with suppress(OutboxError), closing(OutboxView(self._home)) as view:
            return Standing(
                self._state(), True, view.slips(), view.holdings(), view.modes(), view.results(),
                view.waiting(), [f"{what}: {why}" for what, why in troubles.items()],
                compared, asked,
            )  # fmt: skip
        return Standing(self._state())

    def _state(self) -> str:
        if self._stopped:
            return "stopping"
        started = self._executor is not None and self._executor.started
        return "trading" if started else "reaching the exchange"

    async def _run(self, queue: Log) -> None:
        post, keys = self.post, self.post.keys
        url = post.settings.exchange_urls.get(keys.exchange)
        venue = TradingVenue(keys, url, sandbox=post.broker is Broker.SANDBOX)
        try:
            self._executor = Executor(
                post.purse, venue, queue, post.log.appender, self._home, post.chosen, self._tell,
                hear=self._hear,
            )  # fmt: skip
        except BaseException:
            await venue.close()
            raise
        if self._stopped:
            self._executor.stop()
        await self._executor.run()

    def _alone(self) -> Lock:
        """Take the right to be the executor; whoever looks whether one runs has it for a moment."""
        with kept("the executor's files", self._home):
            self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for _ in range(_LOOKS):
            with suppress(Busy):
                return Lock(self._home / "lock")
            time.sleep(_LOOK_SECONDS)
        raise ReplayError(
            f"another executor of {self.post.purse} runs on this machine: one an account; stop it "
            f"first"
        )
