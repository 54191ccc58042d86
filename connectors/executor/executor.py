"""The executor of an account: one process that takes orders from the queue to the exchange."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from pathlib import Path

from connectors.account.account import TradingVenue
from connectors.account.checks import check_account
from connectors.account.orders import Deal, Known, OrderError, RefusedError
from connectors.account.private_feed import PrivateFeed
from connectors.blotter.actions import Action, Reconcile
from connectors.blotter.blotter import Blotter
from connectors.exchange.delays import Delays
from connectors.executor.funding import Funding
from connectors.executor.hands import Hands, order_of
from connectors.executor.lanes import Lanes
from connectors.executor.order_queue import Alive, Ask, Asked
from connectors.executor.queue import QueueReader
from connectors.executor.settings import ExecutorSettings
from connectors.executor.syncs import Syncs
from connectors.executor.troubles import Troubles
from connectors.executor.words import Hear, Words, nobody
from connectors.log.log import Appender, Log
from connectors.outbox.outbox import Outbox
from connectors.venue.venue import VenueError
from schemas import Position, Reject, Time

TICK = 0.25
"""Seconds from one look at what time has brought to the next."""
_TIDY_SECONDS = 2.0
_DEFAULT = ExecutorSettings()


class Executor:
    """Reads the order queue, trades, and tells in the market log what came of it.

    It is made and run in one thread.

    Parameters
    ----------
    account
        Whose orders it reads, as they are queued.
    venue
        The account at the exchange; it is closed at the end.
    queue
        The order queue; whoever opened it closes it.
    appender
        Opens the market log, and opens it anew behind an error.
    outbox
        The directory in which it keeps what it decides.
    settings
        What may be chosen.
    tell
        Takes each line to be shown to a person.
    clock
        Ours.
    hear
        Is told, in a thread, of each report and command that is in the log.

    Raises
    ------
    OutboxError
        When another executor has the outbox, or it cannot be kept there.

    """

    def __init__(
        self,
        account: str,
        venue: TradingVenue,
        queue: Log,
        appender: Callable[[], Appender],
        outbox: Path,
        settings: ExecutorSettings = _DEFAULT,
        tell: Callable[[str], None] = print,
        clock: Callable[[], Time] = time.time_ns,
        hear: Hear = nobody,
    ) -> None:
        self.account, self.venue, self.settings = account, venue, settings
        self.started = False
        """Whether the exchange was reached, and orders are taken."""
        self.troubles = Troubles(tell)
        self._quiet: set[str] = set()
        self._queue, self._clock = queue, clock
        self._outbox = Outbox(outbox, account, clock)
        rules = settings.rules if venue.tells_fills else settings.rules._replace(fills_within=0)
        self.blotter = Blotter(account, self._outbox, rules, settings.limits)
        self._syncs = Syncs(self._outbox)
        self._words = Words(self._outbox, self._syncs.done, appender, self.troubles, hear)
        self._feed = PrivateFeed(venue, self, self.troubles)
        self.hands = Hands(
            venue, self.blotter, self._syncs.done, self._act, clock, settings, self.troubles,
            self._feed.add,
        )  # fmt: skip
        self._lanes = Lanes(self.hands.do, self._fail)
        self._funding = Funding(venue, self.blotter, self._act, clock, self.troubles)
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._error: BaseException | None = None

    async def run(self) -> None:
        """Work until `stop`; then call open entries off, and end. Stops go on resting.

        Raises
        ------
        VenueError
            When the account cannot be traded with.

        """
        self._loop = asyncio.get_running_loop()
        try:
            self._spawn(self._words.run())
            reaching = self._spawn(self._reach())
            ending = self._loop.create_task(self._ended.wait())
            await asyncio.wait({reaching, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not self._ended.is_set():
                await self._work()
        finally:
            await self._close()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End soon; a signal handler or another thread may call it."""
        if self._loop is None:
            self._ended.set()
        else:
            self._loop.call_soon_threadsafe(self._ended.set)

    def pushed(self, told: Known | Deal) -> None:
        """Take what the exchange has said by itself."""
        now = self._clock()
        if isinstance(told, Deal):
            self._act(self.blotter.dealt(told, now))
        elif told.id:
            self.troubles.end(order_of(told.id, told.market))
            self._act(self.blotter.updated(told, now))

    def missed(self, market: str) -> None:
        """Compare a market with the exchange: something may have happened that was not said."""
        self._lanes.put([Reconcile(market)])

    async def _reach(self) -> None:
        """Return when the exchange has answered, and the account may be used."""
        delays, what = Delays(), self.venue.exchange
        while True:
            try:
                await self.venue.load()
                if doubt := await check_account(self.venue):
                    self.troubles.say(doubt)
            except RefusedError as error:
                raise VenueError(
                    f"{what} refuses account {self.account}: {error}; are its keys right?"
                ) from None
            except OrderError as error:
                self.troubles.begin(what, f"cannot be reached ({error}); trying again")
                await asyncio.sleep(delays.next(time.monotonic()))
            else:
                self.troubles.end(what)
                return

    async def _work(self) -> None:
        self._act(self.blotter.resume(self._clock()))
        reader = QueueReader(
            self._queue, self.account, self._outbox.offsets(), self._hand, self._lost, self._fail
        )
        reader.start()
        try:
            self._spawn(self._tick())
            self._spawn(self._compare())
            self._spawn(self._repeat(self.settings.funding_seconds, self._funding.ask))
            self._spawn(self._repeat(_TIDY_SECONDS, self._syncs.tidy))
            self.started = True
            await self._ended.wait()
        finally:
            self.started = False
            await asyncio.to_thread(reader.stop)
        if self._error is None:
            await self._leave()

    async def _leave(self) -> None:
        """Call open entries off, and see what became of them; not without end."""
        self._act(self.blotter.leave(self._clock()))
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._lanes.idle(), self.settings.leave_seconds)

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._feed.stop()
        await self._lanes.stop()
        await self._words.close()
        await self.venue.close()
        self._syncs.close()
        self._outbox.close()

    def _act(self, actions: Iterable[Action]) -> None:
        """Do what the blotter wants, and tell what it has to say."""
        self._lanes.put(actions)
        self._words.wake()

    def _hand(self, ask: Ask | Reject, at: Position) -> None:
        """Take a message in the loop, and return when that is done: so none piles up."""
        assert self._loop is not None  # noqa: S101 - the reader is started in the loop
        asyncio.run_coroutine_threadsafe(self._take(ask, at), self._loop).result()

    async def _take(self, ask: Ask | Reject, at: Position) -> None:
        now = self._clock()
        if isinstance(ask, Asked):
            self._act(self.blotter.asked(ask, at, now))
        elif isinstance(ask, Alive):
            self._act(self.blotter.alive(ask, at, now))
        elif isinstance(ask, Reject):
            self.troubles.say(f"a message of the order queue cannot be read: {ask.why}")
            self._act(self.blotter.unread(ask, now))
        else:
            self.troubles.say(f"{ask.command.action} by {ask.command.who or 'unknown'}")
            self._act(self.blotter.told(ask, at, now))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            now = self._clock()
            self._act(self.blotter.tick(now))
            self._tell_quiet(self.blotter.quiet(now))
            error = self._feed.failed()
            if error is not None:
                self._fail(error)

    def _tell_quiet(self, flows: set[str]) -> None:
        """Tell of flows that are silent, and of those that are heard again."""
        held = "is sold" if self.settings.rules.on_silence == "flatten" else "keeps its stops"
        for flow in flows:
            why = f"no sign of life; its entries are called off, and what it holds {held}"
            self.troubles.begin(f"flow {flow}", why)
        for flow in self._quiet - flows:
            self.troubles.end(f"flow {flow}")
        self._quiet = flows

    async def _compare(self) -> None:
        """Compare each market with the exchange regularly, and not all of them at once."""
        every = self.settings.reconcile_seconds
        while True:
            markets = sorted(self.blotter.markets())
            if not markets:
                await asyncio.sleep(every)
            for market in markets:
                await asyncio.sleep(every / len(markets))
                self._lanes.put([Reconcile(market)])

    async def _repeat(
        self, seconds: float, work: Callable[[], Coroutine[None, None, None]]
    ) -> None:
        while True:
            await asyncio.sleep(seconds)
            await work()

    def _lost(self, why: str) -> None:
        self.troubles.say(f"order queue: {why}; it is read on from what is kept")

    def _fail(self, error: BaseException) -> None:
        """End with an error; any thread may call it."""
        self._error = self._error or error
        self.stop()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)
