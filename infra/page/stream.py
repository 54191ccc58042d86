"""Pushed updates: server-sent events, of each kind the newest, as fast as a browser reads."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from importlib.metadata import version
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.page.asked import Asked, run_of
from infra.page.body import packed
from infra.page.house import House
from infra.page.topic import Key
from infra.page.viewer import Told, Viewer

BEAT_SECONDS = 5.0
SLOW_SECONDS = 30.0
"""A browser that takes nothing for so long is gone."""
_AGAIN = b"retry: 2000\n\n"
_BREATH_SECONDS = 0.1
"""Between two deliveries, at least."""
_HEADERS: Final = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no")]


class Stream:
    """Tells one browser what is new, until it is gone.

    Parameters
    ----------
    house
        Knows what there is to tell.
    key
        What is looked at, besides the desk.

    """

    def __init__(self, house: House, key: Key | None) -> None:
        self._house, self._key = house, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it."""
        viewer = Viewer(asyncio.get_running_loop())
        with self._house.hub.watched(viewer, self._key):
            gone = asyncio.ensure_future(_gone(receive))
            telling = asyncio.ensure_future(self._tell(viewer, send))
            done, rest = await asyncio.wait({gone, telling}, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
            for task in done:
                with suppress(asyncio.TimeoutError):  # it takes nothing: let it go
                    task.result()

    async def _tell(self, viewer: Viewer, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        hello = {"version": version("tapedeck"), "read_only": self._house.read_only}
        await _out(send, _AGAIN + _event("hello", packed({"now": _now(), **hello})))
        while not self._house.hub.over:
            told = await viewer.take(BEAT_SECONDS)
            beat: list[Told] = [("beat", packed({"now": _now()}))]
            await _out(send, b"".join(_event(*one) for one in told or beat))
            await asyncio.sleep(_BREATH_SECONDS)
        await send({"type": "http.response.body", "body": b""})


def stream(request: Request) -> ASGIApp:
    """Return what tells a browser of the desk, and of a market of a run if the query names one."""
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    asked, run = Asked(request.query_params), request.query_params.get("run")
    house: House = request.app.state.house
    key = None if run is None else Key(run_of(run), asked.market(), asked.text("kind"))
    return Stream(house, key)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _out(send: Send, body: bytes) -> None:
    """Send, as soon as the browser has taken what was sent before."""
    message = {"type": "http.response.body", "body": body, "more_body": True}
    await asyncio.wait_for(send(message), SLOW_SECONDS)


def _event(name: str, body: bytes) -> bytes:
    """Write an event; JSON of ours has no line breaks."""
    return b"event: %s\ndata: %s\n\n" % (name.partition(" ")[0].encode(), body)


def _now() -> int:
    return time.time_ns() // 1_000_000
