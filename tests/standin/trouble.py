"""How a stand-in exchange misbehaves on command; what has happened is counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web

from tests.standin.capture import Json
from tests.standin.connection import Connection

CONTROL = "/stand-in/"
"""Where orders to misbehave come in: they are never late, nor fail."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Trouble:
    """Orders to misbehave. Each may be given from any thread; streams are `trade` or `depth`.

    Parameters
    ----------
    call
        Runs something in the exchange's loop, and returns what it returned.
    connections
        The exchange's clients.
    spawn
        Starts closing a connection.
    failure
        What an answer of an error's status says.

    """

    def __init__(
        self,
        call: Callable[[Callable[[], object]], object],
        connections: set[Connection],
        spawn: Callable[[Connection], None],
        failure: Callable[[int], Json],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.shift = 0
        """How far the exchange's clock is ahead of the recorded one, ms."""
        self.hidden = 0
        """How many of the newest trades REST does not know yet."""
        self._refusals = 0
        self._failures: list[tuple[int, float | None]] = []
        self._latency = 0.0
        self._pending: Counter[tuple[str, str]] = Counter()
        self._held: dict[str, list[bytes]] = {}
        self._call, self._connections = call, connections
        self._spawn, self._failure = spawn, failure

    def drop(self) -> None:
        """Close all connections, with a close frame."""
        self._each("dropped", self._spawn)

    def abort(self) -> None:
        """Cut all connections, without a close frame."""
        self._each("aborted", Connection.abort)

    def half_a_frame(self) -> None:
        """Cut all connections in the middle of a frame."""
        self._each("half frames", Connection.cut_in_a_frame)

    def stall(self) -> None:
        """Leave all connections open and say nothing on them any more, not even a pong."""
        self._each("stalled", lambda connection: setattr(connection, "stalled", True))

    def half_stall(self, stream: str, symbol: str = "") -> None:
        """Forget all subscriptions to a stream; connections live on, and new ones are heard."""

        def forget(connection: Connection) -> None:
            kinds = {t for t in connection.topics if t.endswith(f"@{stream}") and symbol in t}
            connection.silent |= kinds
            self.counts["silenced"] += len(kinds)

        self._each(None, forget)

    def refuse(self, attempts: int) -> None:
        """Do not let the next clients connect."""
        self._refusals = attempts

    def skip(self, count: int, stream: str = "trade") -> None:
        """Send the next messages of a stream to no one."""
        self._add("skipped", stream, count)

    def repeat(self, count: int, stream: str = "trade") -> None:
        """Send each of the next messages of a stream twice."""
        self._add("repeated", stream, count)

    def reorder(self, count: int, stream: str = "trade") -> None:
        """Send the next messages of a stream in reverse."""
        self._add("reordered", stream, count)

    def malform(self, count: int = 1, stream: str = "trade") -> None:
        """Send the next messages of a stream as half the JSON each."""
        self._add("malformed", stream, count)

    def wrong_sequence(self, count: int = 1) -> None:
        """Let the next changes of a book say that they follow something else."""
        self._add("wrong sequence", "depth", count)

    def cross(self, count: int = 1) -> None:
        """Put a bid above all asks into the next changes of a book, and take it away behind."""
        self._add("crossed", "depth", count)

    def fail(self, status: int, times: int = 1, retry_after: float | None = None) -> None:
        """Answer the next REST requests with an error: 429, 418, 500 and the like."""
        self._failures += [(status, retry_after)] * times

    def slow(self, seconds: float) -> None:
        """Answer REST requests late, from now on."""
        self._latency = seconds

    def lag(self, trades: int) -> None:
        """Let REST not know the newest trades, from now on."""
        self.hidden = trades

    def clock(self, shift: int) -> None:
        """Set the exchange's clock ahead of the recorded one (behind: below zero), ms."""

        def step() -> None:
            self.shift = shift
            self.counts["clock"] += 1

        self._call(step)

    def refuses(self) -> bool:
        """Tell whether a client that wants to connect is turned away."""
        if self._refusals <= 0:
            return False
        self._refusals -= 1
        self.counts["refused"] += 1
        return True

    @web.middleware
    async def rest(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a REST request late, or with an error, or as one should."""
        if request.headers.get("Upgrade") or request.path.startswith(CONTROL):
            return await handler(request)
        self.counts["requests"] += 1
        if self._latency:
            self.counts["slow"] += 1
            await asyncio.sleep(self._latency)
        if self._failures:
            status, retry_after = self._failures.pop(0)
            self.counts[f"status {status}"] += 1
            headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
            return web.json_response(self._failure(status), status=status, headers=headers)
        return await handler(request)

    def due(self, what: str, stream: str = "depth") -> bool:
        """Tell whether one of these is to happen now; if so, it counts as done."""
        if self._pending[what, stream] <= 0:
            return False
        self._pending[what, stream] -= 1
        self.counts[what] += 1
        return True

    def bend(self, stream: str, message: bytes) -> Iterator[bytes]:
        """Yield what is sent in place of a message, to clients that listen."""
        if self.due("skipped", stream):
            return
        if self.due("reordered", stream):
            self._held.setdefault(stream, []).append(message)
            if not self._pending["reordered", stream]:
                yield from reversed(self._held.pop(stream))
            return
        if self.due("malformed", stream):
            yield message[: len(message) // 2]
            return
        yield message
        if self.due("repeated", stream):
            yield message

    def _add(self, what: str, stream: str, count: int) -> None:
        self._call(lambda: self._pending.update({(what, stream): count}))

    def _each(self, what: str | None, treat: Callable[[Connection], None]) -> None:
        def each() -> None:
            for connection in [*self._connections]:
                if what is not None:
                    self.counts[what] += 1
                treat(connection)

        self._call(each)
