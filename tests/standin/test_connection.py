"""A client's WebSocket as the stand-in exchange has it."""

from __future__ import annotations

import asyncio
from typing import cast

from aiohttp import web

from tests.standin.connection import Connection


class Stuck:
    """A socket whose client takes nothing, and what opened it."""

    path, query, transport = "/", "", asyncio.Transport()

    async def send_frame(self, *_: object) -> None:
        await asyncio.Event().wait()


def test_nobody_waits_for_what_a_client_that_is_gone_was_to_be_sent() -> None:
    async def gone() -> None:
        stuck = Stuck()
        connection = Connection(cast("web.WebSocketResponse", stuck), cast("web.Request", stuck))
        for message in (b"1", b"2"):
            connection.put(message)
        writer, sent = (
            asyncio.create_task(work) for work in (connection.write(), connection.sent())
        )
        await asyncio.sleep(0)
        writer.cancel()
        await asyncio.wait_for(sent, 10)

    asyncio.run(gone())
