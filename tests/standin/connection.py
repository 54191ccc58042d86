"""One client's WebSocket as the exchange sees it, and how it is treated."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import WSMsgType, web


class Connection:
    """A socket with the streams it subscribed to.

    Parameters
    ----------
    socket
        Open; it answers neither pings nor closings by itself.
    request
        What opened it.

    """

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self.path = request.path
        self.query = request.query
        self.topics: dict[str, str] = {}
        """The streams it listens to, and what it calls them."""
        self.silent: set[str] = set()
        """Streams that lost this client, and do not know it."""
        self.stalled = False
        self._transport = request.transport
        self._queue: asyncio.Queue[tuple[bytes, WSMsgType]] = asyncio.Queue()

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    @property
    def listens(self) -> bool:
        """Whether any stream reaches it."""
        return self.open and not self.stalled and bool(self.topics.keys() - self.silent)

    def hears(self, topic: str) -> bool:
        """Tell whether a message of a stream would reach it."""
        return topic in self.topics and topic not in self.silent and not self.stalled

    def put(self, message: bytes, kind: WSMsgType = WSMsgType.TEXT) -> None:
        """Send a message, or the answer to a ping, when its turn comes."""
        self._queue.put_nowait((message, kind))

    async def write(self) -> None:
        """Send what is put, for ever; what is left then is never sent."""
        try:
            while True:
                await self._send(*await self._queue.get())
        finally:
            while not self._queue.empty():
                self._queue.get_nowait()
                self._queue.task_done()

    async def _send(self, message: bytes, kind: WSMsgType) -> None:
        try:
            if self.open and not self.stalled:
                with suppress(ConnectionError):
                    await self.socket.send_frame(message, kind)
        finally:
            self._queue.task_done()

    async def sent(self) -> None:
        """Wait until all that was put is sent, or never will be."""
        if not self.stalled:
            await self._queue.join()

    async def drop(self) -> None:
        """Close as one should, behind what was put."""
        await self.sent()
        with suppress(ConnectionError):
            await self.socket.close()

    def abort(self) -> None:
        """Cut the line: no close frame, what is under way is lost."""
        if self._transport is not None:
            self._transport.abort()

    def cut_in_a_frame(self) -> None:
        """Send the beginning of a frame of 300 bytes, and cut the line."""
        if self._transport is not None:
            self._transport.write(b'\x81\x7e\x01\x2c{"e":"trade","E":17')
            self._transport.close()

    async def gone(self) -> None:
        """Wait until the client gives up a stalled line."""
        while self.open:
            await asyncio.sleep(0.02)
