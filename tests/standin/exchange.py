"""A stand-in exchange: a server in a thread of its own that plays captures to its clients."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from types import TracebackType

from aiohttp import WSMsgType, web
from typing_extensions import Self

from tests.standin.account import Account
from tests.standin.capture import Capture, Json
from tests.standin.clock import PrivateClock
from tests.standin.connection import Connection
from tests.standin.control import Control
from tests.standin.loop import LoopThread
from tests.standin.market import Market
from tests.standin.order_trouble import OrderTrouble
from tests.standin.orders import Deal, Happened, Order
from tests.standin.player import Player, Turn
from tests.standin.report_trouble import ReportTrouble
from tests.standin.trading import Trading
from tests.standin.trouble import Trouble

PATIENCE = 60.0
"""Seconds until a wait is given up."""
_CLOSING = {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}


class StandIn(ABC):
    """An exchange on loopback; a subclass speaks a protocol. Any thread may call its methods.

    Nothing is played until a test says `play` or `play_until`; `play_until` blocks, so that a test
    whose client runs in the same thread hands it to `asyncio.to_thread`.

    Parameters
    ----------
    captures
        The markets.
    speed
        Seconds of the recording a second; `None` for as fast as clients can take it.
    port
        Where to listen; 0 for any free port.
    accounts
        Who may trade; no one by default.

    """

    def __init__(
        self,
        captures: Sequence[Capture],
        speed: float | None = None,
        port: int = 0,
        accounts: Sequence[Account] = (),
    ) -> None:
        self.markets = {capture.name: Market(capture) for capture in captures}
        self.connections: set[Connection] = set()
        self.url = ""
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = LoopThread(self._serve)
        self.call = self._thread.call
        self.trouble = Trouble(self.call, self.connections, self._drop, self.failure)
        self.clock = PrivateClock(self.now)
        self.trading = Trading(self.markets, accounts, self.clock.now)
        self.accounts = self.trading.accounts
        self.order_trouble = OrderTrouble(self.call, self.clock, self.trading)
        self.report_trouble = ReportTrouble(self.call, self.connections, self._drop)
        for account in accounts:
            account.listeners.append(partial(self._report, account))
        self.player = Player([*self.markets.values()], self._play, self._settle, speed)

    # What a protocol says

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""

    @abstractmethod
    def opened(self, connection: Connection) -> None:
        """Greet a client, whose path may subscribe it."""

    @abstractmethod
    def heard(self, connection: Connection, text: str) -> None:
        """Answer a client's message."""

    @abstractmethod
    def messages(self, market: Market, stream: str, raw: bytes) -> Iterator[bytes]:
        """Yield what is sent of a line that happened."""

    @abstractmethod
    def failure(self, status: int) -> Json:
        """Return what a REST answer of an error's status says."""

    @abstractmethod
    def reports(
        self, account: Account, order: Order, what: Happened, deal: Deal | None
    ) -> tuple[str, Iterator[bytes]]:
        """Return a private stream, and what is said on it of what happened to an order."""

    def wrapped(self, _connection: Connection, _topic: str, message: bytes) -> bytes:
        """Return a message in the envelope that a client asked for."""
        return message

    # What a test does

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.stop()

    def play(self, lines: int | None = None) -> None:
        """Go on playing, for some lines or to the end, and return at once."""
        self.call(lambda: self.player.go(self.player.end(lines)))

    def pause(self) -> None:
        """Play nothing more."""
        self.play(0)

    def play_until(
        self,
        trade: int | None = None,
        line: int | None = None,
        received: int | None = None,
        market: str | None = None,
    ) -> None:
        """Play until a trade, a line or a time has been played; return when clients were sent it.

        Parameters
        ----------
        trade
            An id.
        line
            A number of lines of the whole play.
        received
            The recorder's clock, ns: up to the last line not behind it.
        market
            Whose trade, such as `usdm:BTCUSDT`; the only market by default.

        """
        if trade is not None:
            stop = self.player.behind_trade(self.market(market), trade)
        elif received is not None:
            stop = sum(turn.received <= received for turn in self.player.turns)
        else:
            stop = len(self.player.turns) if line is None else line
        self.call(lambda: self.player.go(stop))
        self.wait(lambda: self.player.settled)

    def market(self, name: str | None = None) -> Market:
        """Return a market by its name such as `usdm:BTCUSDT`; the only one by default."""
        if name is None:
            (only,) = self.markets.values()
            return only
        return self.markets[name]

    def listeners(self, topic: str) -> int:
        """Return how many clients a stream such as `usdm:BTCUSDT@trade` reaches."""
        return sum(connection.hears(topic) for connection in [*self.connections])

    def wait(self, condition: Callable[[], object], patience: float = PATIENCE) -> None:
        """Return when a condition holds."""
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{type(self).__name__}: waited {patience} s in vain")
            time.sleep(0.003)

    def now(self) -> int:
        """Return the exchange's time, ms."""
        skew = next(iter(self.markets.values())).skew if self.markets else 0
        return (self.player.now() + skew) // 1_000_000 + self.trouble.shift

    # What it does

    async def _serve(self, up: Callable[[], None], end: asyncio.Event) -> None:
        app = web.Application(middlewares=[self.trouble.rest])
        app.add_routes(self.routes())
        app.add_routes(Control(self).routes())
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._spawn(self.player.run())
        up()
        await end.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in [*self.connections]:
            connection.abort()
        await runner.cleanup()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """Serve one client's WebSocket."""
        if self.trouble.refuses():
            return web.Response(status=503)
        socket = web.WebSocketResponse(autoping=False, autoclose=False, compress=False)
        await socket.prepare(request)
        connection = Connection(socket, request)
        writer = asyncio.create_task(connection.write())
        self.connections.add(connection)
        try:
            self.opened(connection)
            await self._listen(connection)
        finally:
            self.connections.discard(connection)
            writer.cancel()
        return socket

    async def _listen(self, connection: Connection) -> None:
        while True:
            message = await connection.socket.receive()
            if message.type in _CLOSING:
                break
            if connection.stalled:
                continue
            if message.type is WSMsgType.PING:
                connection.put(message.data, WSMsgType.PONG)
            elif message.type is WSMsgType.TEXT:
                self.heard(connection, message.data)
        if connection.stalled:
            await connection.gone()
        elif message.type is WSMsgType.CLOSE:
            await connection.drop()

    def _drop(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._spawn(connection.drop())

    def _play(self, turn: Turn) -> None:
        market, stream = turn.market, turn.line.stream
        self.trading.before(market, turn.line, self.trouble.shift)
        raw = market.play(turn.line, self.trouble.shift)
        self.trading.played(market, turn.line)
        topic = f"{market.name}@{stream}"
        listeners = [c for c in self.connections if c.hears(topic)]
        for message in self.messages(market, stream, raw) if listeners else ():
            for sent in self.trouble.bend(stream, message):
                for connection in listeners:
                    connection.put(self.wrapped(connection, topic, sent))

    def _report(self, account: Account, order: Order, what: Happened, deal: Deal | None) -> None:
        topic, messages = self.reports(account, order, what, deal)
        listeners = [c for c in self.connections if c.hears(topic)]
        for message in messages:
            for sent in self.report_trouble.bend(message):
                for connection in listeners:
                    connection.put(sent)

    async def _settle(self) -> None:
        await asyncio.gather(*(connection.sent() for connection in [*self.connections]))
