"""What happens on an exchange's connections, which ccxt's own client does not tell.

Its client notices a dead connection after minutes, connects again without a word when it was lost
between two calls, and ends its reading for good at a message that is no JSON.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol, cast

import ccxt

from connectors.venue.venue import Venue
from schemas import SECOND, Time

PING = 500
"""Each so many milliseconds a connection is asked whether it lives."""
DEAD = 5 * SECOND
"""A connection on which nothing comes for so long, not even an answer to a ping, is dead."""


class User(NamedTuple):
    """Who reads from a connection."""

    market: str
    what: str
    """`trades` or `book`."""


reader: ContextVar[User | None] = ContextVar("reader", default=None)
"""Who this task reads for: whichever connection it uses is that reader's."""


class Connection(Protocol):
    """What we use of ccxt's client for one WebSocket."""

    isConnected: bool  # noqa: N815 - ccxt's name
    keepAlive: float  # noqa: N815 - ccxt's name
    maxPingPongMisses: float  # noqa: N815 - ccxt's name
    handle_message: Callable[[Any], None]
    connection: object
    """aiohttp's, once it is open."""

    def on_error(self, error: Exception) -> None: ...  # noqa: D102
    def closed(self) -> bool: ...  # noqa: D102


class _Opening(Protocol):
    client: Callable[[str], Connection]


class Wire:
    """Watch the connections of one exchange.

    Parameters
    ----------
    venue
        The exchange; nothing is streamed from it yet.
    switched
        Is told who reads from another connection than before: the old one is lost.
    unreadable
        Is told which readers' connection brought a message that cannot be read, why, and what.

    """

    def __init__(
        self,
        venue: Venue,
        switched: Callable[[User], None],
        unreadable: Callable[[list[User], str, str], None],
    ) -> None:
        self._switched, self._unreadable = switched, unreadable
        opening = cast("_Opening", venue)
        self._client = opening.client
        opening.client = self._opened
        self._heard: dict[Connection, Time] = {}
        self._of: dict[User, Connection] = {}
        self._looked: Time = time.time_ns()

    def heard(self, user: User) -> Time | None:
        """Return when anything came last on a reader's connection, if it stands."""
        connection = self._of.get(user)
        if connection is None or not self._stands(connection):
            return None
        return self._heard.get(connection)

    def give_up(self, user: User, why: str) -> None:
        """Close a reader's connection, so that all who read from it begin again on a new one."""
        if (connection := self._of.get(user)) is not None:
            self._close(connection, why)

    def look(self, now: Time) -> list[User]:
        """Give up the connections that are dead; return who read from them."""
        if not 0 <= now - self._looked < SECOND:  # we were not there to hear anything
            self._heard = dict.fromkeys(self._heard, now)
        self._looked = now
        dead = [c for c, heard in self._heard.items() if now - heard > DEAD and self._stands(c)]
        users = [user for connection in dead for user in self._users(connection)]
        for connection in dead:
            self._close(connection, "no answer to a ping")
        used = {*self._of.values()}
        self._heard = {c: heard for c, heard in self._heard.items() if c in used}
        return users

    def _stands(self, connection: Connection) -> bool:
        return connection.isConnected and not connection.closed()

    def _opened(self, url: str) -> Connection:
        connection = self._client(url)
        if connection not in self._heard:
            self._listen(connection)
        user = reader.get()
        if user is not None and self._of.get(user) is not connection:
            before, self._of[user] = self._of.get(user), connection
            if before is not None:
                self._switched(user)
        return connection

    def _listen(self, connection: Connection) -> None:
        """Ask a new connection often whether it lives, and hear all that comes on it."""
        connection.keepAlive = PING
        connection.maxPingPongMisses = float("inf")  # we judge it ourselves, by any message
        self._heard[connection] = time.time_ns()
        handle = connection.handle_message

        def hear(message: Any) -> None:  # noqa: ANN401 - aiohttp's, only handed on
            self._heard[connection] = time.time_ns()
            try:
                handle(message)
            except Exception as error:  # noqa: BLE001 - else ccxt's client reads no more, silently
                why = f"unreadable message: {type(error).__name__}: {error}"
                self._unreadable(self._users(connection), why, str(message.data))
                self._close(connection, why)

        connection.handle_message = hear

    def _users(self, connection: Connection) -> list[User]:
        return [user for user, used in self._of.items() if used is connection]

    def end(self) -> None:
        """Cut all connections."""
        for connection in self._heard:
            _cut(connection)

    def _close(self, connection: Connection, why: str) -> None:
        connection.on_error(ccxt.NetworkError(why))
        _cut(connection)


def _cut(connection: Connection) -> None:
    """Cut a line without a farewell: on one that is dead it would not be answered."""
    line = getattr(connection.connection, "_conn", None)
    if line is not None and line.transport is not None:
        line.transport.abort()
