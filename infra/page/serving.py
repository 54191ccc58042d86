"""The page's server: on loopback only, with bounds on all that others can make it hold."""

from __future__ import annotations

import socket
from contextlib import suppress

import uvicorn

from connectors.scrub import keep_secret
from infra.page.gate import Gate
from infra.page.house import House
from infra.page.punctual import Punctual
from infra.page.routes import application
from infra.running.problems import ReplayError

HOST, PORT = "127.0.0.1", 8484
_TRIES = 20
_CONNECTIONS, _HEAD_BYTES = 128, 16 << 10
_IDLE_SECONDS, _GRACE_SECONDS = 15, 3


def listening(port: int | None) -> socket.socket:
    """Return a socket that listens on this machine only.

    Parameters
    ----------
    port
        0 takes any that is free; None takes the usual one, or one behind it.

    Raises
    ------
    ReplayError
        When it cannot be had.

    """
    ports = range(PORT, PORT + _TRIES) if port is None else [port]
    why = ""
    for one in ports:
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((HOST, one))
            found.listen(_CONNECTIONS)
        except (OSError, OverflowError) as error:
            found.close()
            why = str(error)
        else:
            return found
    raise ReplayError(f"--port {ports[0]}: {why}; choose another, or 0 for any that is free")


def gated(house: House, port: int) -> Gate:
    """Return the whole application, as it is served at a port."""
    keep_secret(house.keys.token, house.keys.cookie, house.keys.csrf)
    return Gate(application(house), house.keys, port)


class Serving(uvicorn.Server):
    """Serves the page until it is told to stop.

    Parameters
    ----------
    house
        What there is to show; it is closed at the end.
    at
        Where it listens.

    """

    def __init__(self, house: House, at: socket.socket) -> None:
        self.house, self.at = house, at
        self.port = int(at.getsockname()[1])
        self.gate = gated(house, self.port)
        config = uvicorn.Config(
            self.gate, http=Punctual, ws="none", lifespan="off", log_config=None,
            access_log=False, log_level="error", server_header=False, proxy_headers=False,
            limit_concurrency=_CONNECTIONS, h11_max_incomplete_event_size=_HEAD_BYTES,
            timeout_keep_alive=_IDLE_SECONDS, timeout_graceful_shutdown=_GRACE_SECONDS,
        )  # fmt: skip
        super().__init__(config)

    @property
    def address(self) -> str:
        """What to open, with the token."""
        return self._address(self.house.keys.token)

    def address_once(self) -> str:
        """Return what to open, once: a browser's command line can be read by all of the machine."""
        ticket = self.house.keys.ticket()
        keep_secret(ticket)
        return self._address(ticket)

    def _address(self, word: str) -> str:
        return f"http://{HOST}:{self.port}/?token={word}"

    def serve_all(self) -> None:
        """Serve until a signal comes, or `should_exit` is set."""
        self.house.hub.start()
        try:
            with suppress(KeyboardInterrupt):
                self.run([self.at])
        finally:
            self.house.close()
            self.at.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: they would go on for ever."""
        self.house.hub.end()
        await super().shutdown(sockets)
