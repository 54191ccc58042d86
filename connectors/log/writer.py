"""The one process that writes an embedded log: it takes in what its clients hand over."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from connectors.log.file import explained
from connectors.log.keeper import Keep, Keeper
from connectors.log.log import LogError
from connectors.log.sqlite_writer import SqliteWriter
from connectors.log.wire import HELLO_BYTES, Torn, address, answer, read_hello, take

_GULP, _ROUND = 1 << 18, 1 << 20
_MUCH, _FULL = 1 << 17, 8 << 20
_LINGER_SECONDS = 0.001
_CLIENTS = 128
_DRAIN_SECONDS = 10.0
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_log = logging.getLogger("tapedeck.log")


class _Client:
    """A client's connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.id = b""
        self.last = 0
        """The number of the last message that was taken from it."""
        self.over = False
        self.listens = False
        """Whether it sends nothing, and only wants to hear of each commit."""
        self.buffer = bytearray()

    def receive(self) -> int:
        """Take in what is there, but not without end; how many bytes it was."""
        before = len(self.buffer)
        with suppress(BlockingIOError):
            while len(self.buffer) < before + _ROUND:
                data = self.socket.recv(_GULP)
                if not data:
                    self.over = True
                    break
                self.buffer += data
        return len(self.buffer) - before

    def say(self, trouble: str = "") -> bool:
        """Tell it what is durable, or what is wrong; whether there was room for that."""
        try:
            self.socket.send(answer(self.last, trouble))
        except BlockingIOError:
            return False
        except ConnectionError:
            self.over = True
        return True


class LogServer:
    """Writes what clients hand over: what comes together goes in together, with one sync.

    Parameters
    ----------
    writer
        Writes the log; clients find the socket in its directory.
    keep
        How much the log keeps.

    """

    def __init__(self, writer: SqliteWriter, keep: Keep | None = None) -> None:
        self.writer = writer
        self._keeper = Keeper(writer, keep or Keep())
        self._clients: set[_Client] = set()
        self._new: set[_Client] = set()
        """Those that wait for an answer to what they sent in this round."""
        self._batch: list[tuple[str, bytes]] = []
        self._size = 0
        self._stopping = False
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._watch(self._woken, self._wake_up)
        self._listener = self._listen()
        self._watch(self._listener, self._accept)

    def serve(self) -> None:
        """Serve until `stop`; then take what is there, and end."""
        try:
            while not self._stopping:
                self._round(self._keeper.wait())
                self._keeper.work()
            self._unlisten()
            deadline = time.monotonic() + _DRAIN_SECONDS
            while self._round(0) and time.monotonic() < deadline:
                pass
        finally:
            self._close()

    def stop(self) -> None:
        """End soon; a signal handler or another thread may call it."""
        with suppress(BlockingIOError):
            os.write(self._wake, b"!")

    def _round(self, seconds: float) -> bool:
        """Take what comes, and write it; whether something came."""
        self._size = 0
        came = self._gather(seconds)
        # Who sends much has more than its socket holds: one sync for all of it.
        while _MUCH <= self._size < _FULL and self._gather(_LINGER_SECONDS):
            pass
        if self._new:
            self._commit()
        return came

    def _gather(self, seconds: float) -> bool:
        ready = self._selector.select(seconds)
        for key, _ in ready:
            key.data()
        return bool(ready)

    def _commit(self) -> None:
        """Write what came in this round, and answer those it came from."""
        new, batch = self._new, self._batch
        self._new, self._batch = set(), []
        trouble = ""
        try:
            self.writer.write(batch, {client.id: client.last for client in new})
        except LogError as error:
            _log.warning("%s messages were not taken: %s", len(batch), error)
            trouble = str(error)
        self._ring()
        for client in new:
            if not client.say(trouble):
                self._watch(client.socket, partial(self._say_again, client), _WRITE)
            if client.over or trouble:
                self._drop(client)

    def _ring(self) -> None:
        """Let listeners look; one who has not yet heard of the last time will look anyway."""
        for listener in [client for client in self._clients if client.listens]:
            listener.say()
            if listener.over:
                self._drop(listener)

    def _say_again(self, client: _Client) -> None:
        if client.say():
            self._watch(client.socket, partial(self._hear, client))

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionError):
            connection, _ = self._listener.accept()
            if len(self._clients) == _CLIENTS:
                _log.warning("a client more than %s was sent away", _CLIENTS)
                connection.close()
                return
            connection.setblocking(False)
            client = _Client(connection)
            self._clients.add(client)
            self._watch(connection, partial(self._hear, client))

    def _hear(self, client: _Client) -> None:
        try:
            self._size += client.receive()
            if not client.id and len(client.buffer) >= HELLO_BYTES and not client.listens:
                self._greet(client)
            if client.id:
                self._take(client)
        except (ValueError, ConnectionError) as error:
            _log.warning("a client was sent away: %s", error)
            client.over = True
        if client.over and client not in self._new:
            self._drop(client)

    def _greet(self, client: _Client) -> None:
        """Look what the log has of a client from before."""
        hello = read_hello(client.buffer)
        del client.buffer[:HELLO_BYTES]
        if hello is None:
            client.listens = True
            client.say()
            return
        name, again = hello
        if name in {other.id for other in self._clients}:
            raise Torn("it is still connected in another way")
        last = self.writer.last_of(name)
        if last is None and again:
            client.say("the log does not know this client any more: begin a new one")
            raise Torn("it is not known any more")
        client.id, client.last = name, last or 0
        self._new.add(client)

    def _take(self, client: _Client) -> None:
        for number, market, content in take(client.buffer):
            if number != client.last + 1:
                raise Torn(f"message {number} came behind {client.last}")
            client.last = number
            self._batch.append((market, content))
            self._new.add(client)

    def _drop(self, client: _Client) -> None:
        self._clients.discard(client)
        self._selector.unregister(client.socket)
        client.socket.close()

    def _watch(
        self, what: socket.socket | int, then: Callable[[], None], events: int = _READ
    ) -> None:
        if what in self._selector.get_map():
            self._selector.modify(what, events, then)
        else:
            self._selector.register(what, events, then)

    def _wake_up(self) -> None:
        os.read(self._woken, 1)
        self._stopping = True

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with explained(self.writer.directory), address(self.writer.directory) as path:
                Path(path).unlink(missing_ok=True)  # of one that was killed
                listener.bind(path)
                Path(path).chmod(0o600)
                listener.listen(_CLIENTS)
                listener.setblocking(False)
        except BaseException:
            listener.close()
            raise
        return listener

    def _unlisten(self) -> None:
        self._selector.unregister(self._listener)
        self._listener.close()
        with address(self.writer.directory) as path:
            Path(path).unlink(missing_ok=True)

    def _close(self) -> None:
        for client in self._clients.copy():
            self._drop(client)
        self._listener.close()
        self._selector.close()
        os.close(self._woken)
        os.close(self._wake)
