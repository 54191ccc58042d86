"""What happens on connections, told by ccxt's own client and a line that is not there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from connectors.exchange.wire import DEAD, User, Wire, reader
from connectors.venue.venue import Venue
from schemas import SECOND

TRADES, BOOK = User("m", "trades"), User("m", "book")


class Line:
    """ccxt's client of one WebSocket, as far as it is used."""

    def __init__(self) -> None:
        self.isConnected = True
        self.keepAlive = self.maxPingPongMisses = 0.0
        self.errors: list[Exception] = []
        self.handled: list[object] = []
        self.handle_message: Callable[[Any], None] = self.handle
        self.aborted = False
        transport = SimpleNamespace(abort=lambda: setattr(self, "aborted", True))
        self.connection = SimpleNamespace(_conn=SimpleNamespace(transport=transport))

    def handle(self, message: SimpleNamespace) -> None:
        if message.data == "bad":
            raise ValueError("no JSON")
        self.handled.append(message)

    def closed(self) -> bool:
        return bool(self.errors)

    def on_error(self, error: Exception) -> None:
        self.errors.append(error)


class Rig:
    """A wire, and whom it told what."""

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}
        self.switched: list[User] = []
        self.unreadable: list[tuple[list[User], str, str]] = []
        venue = SimpleNamespace(client=lambda url: self.lines.setdefault(url, Line()))
        self.wire = Wire(
            cast("Venue", venue), self.switched.append, lambda *told: self.unreadable.append(told)
        )
        self.venue = venue

    def use(self, user: User | None, url: str = "a") -> Line:
        token = reader.set(user)
        line: Line = self.venue.client(url)
        reader.reset(token)
        return line


def test_a_reader_on_another_connection_than_before_has_lost_the_first() -> None:
    rig = Rig()
    rig.use(TRADES)
    rig.use(TRADES)
    assert not rig.switched
    del rig.lines["a"]
    rig.use(TRADES)
    assert rig.switched == [TRADES]
    rig.use(None, "b")
    assert rig.switched == [TRADES]


def test_each_task_reads_for_itself() -> None:
    rig = Rig()

    async def read(user: User, url: str) -> None:
        reader.set(user)
        await asyncio.sleep(0)
        rig.venue.client(url)

    async def both() -> None:
        await asyncio.gather(read(TRADES, "a"), read(BOOK, "b"))

    asyncio.run(both())
    rig.wire.give_up(BOOK, "silent")
    assert not rig.lines["a"].errors
    assert [str(error) for error in rig.lines["b"].errors] == ["silent"]


def test_a_message_that_cannot_be_read_is_told_and_ends_the_connection() -> None:
    rig = Rig()
    line = rig.use(TRADES)
    good, bad = SimpleNamespace(data="good"), SimpleNamespace(data="bad")
    line.handle_message(good)
    line.handle_message(bad)
    assert line.handled == [good]
    assert rig.unreadable == [([TRADES], "unreadable message: ValueError: no JSON", "bad")]
    assert line.errors
    assert line.aborted


def test_what_is_silent_for_too_long_is_dead_and_its_readers_are_told() -> None:
    rig = Rig()
    line, other = rig.use(TRADES), rig.use(BOOK, "b")
    start = time.time_ns()
    now = start
    while now < start + DEAD - SECOND:
        now += SECOND // 2
        assert not rig.wire.look(now)
    assert rig.wire.heard(TRADES) is not None
    dead: list[User] = []
    while not dead:
        now += SECOND // 2
        dead = rig.wire.look(now)
    assert sorted(dead) == [BOOK, TRADES]
    assert line.aborted
    assert other.aborted
    assert rig.wire.heard(TRADES) is None


def test_while_we_were_away_ourselves_nothing_died() -> None:
    rig = Rig()
    rig.use(TRADES)
    now = time.time_ns()
    rig.wire.look(now)
    assert not rig.wire.look(now + 2 * DEAD)
    assert not rig.wire.look(now + 2 * DEAD + SECOND // 2)


@pytest.mark.parametrize("user", [TRADES, BOOK])
def test_a_reader_without_a_connection_hears_nothing(user: User) -> None:
    rig = Rig()
    assert rig.wire.heard(user) is None
    rig.wire.give_up(user, "not there")


def test_in_the_end_all_connections_are_cut() -> None:
    rig = Rig()
    lines = [rig.use(TRADES), rig.use(BOOK, "b")]
    rig.wire.end()
    assert all(line.aborted for line in lines)
