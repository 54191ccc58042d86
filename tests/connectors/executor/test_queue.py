"""Messages of one account come from a queue as soon as they are in it, each once and in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from connectors.executor.order_queue import Alive, Ask, Told, encode_ask
from connectors.executor.queue import QueueReader
from connectors.log.log import LostError
from schemas import Command, Position, Reject
from tests.connectors.memory_log import MemoryLog

MINE, OTHER = "main:sandbox", "other:live"


@dataclass
class Heard:
    """What was handed over."""

    asks: list[Ask | Reject] = field(default_factory=list)
    places: list[Position] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    def hand(self, ask: Ask | Reject, at: Position) -> None:
        with self.came:
            self.asks.append(ask)
            self.places.append(at)
            self.came.notify_all()

    def fail(self, error: BaseException) -> None:
        with self.came:
            self.errors.append(error)
            self.came.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self.came:
            assert self.came.wait_for(condition, 30)


def told(action: str, account: str = MINE) -> Told:
    return Told(account, Command("okx:A", 0, action))


def put(log: MemoryLog, *asks: Ask) -> None:
    for ask in asks:
        log.append(ask.account, encode_ask(ask))


@contextmanager
def reading(log: MemoryLog, offsets: dict[str, int] | None = None) -> Iterator[Heard]:
    heard = Heard()
    reader = QueueReader(log, MINE, offsets or {}, heard.hand, heard.lost.append, heard.fail)
    reader.start()
    try:
        yield heard
    finally:
        reader.stop()


def test_what_there_is_and_what_comes_is_handed_over_in_order() -> None:
    log = MemoryLog()
    put(log, told("halt"))
    with reading(log) as heard:
        heard.until(lambda: len(heard.asks) == 1)
        put(log, told("resume"), told("flatten"))
        heard.until(lambda: len(heard.asks) == 3)
    assert heard.asks == [told("halt"), told("resume"), told("flatten")]
    assert [at.offset for at in heard.places] == [0, 1, 2]


def test_what_is_for_another_account_is_passed_over() -> None:
    log = MemoryLog(count=1)
    put(log, told("halt", OTHER), told("halt"), told("resume", OTHER), told("resume"))
    with reading(log) as heard:
        heard.until(lambda: len(heard.asks) == 2)
    assert heard.asks == [told("halt"), told("resume")]
    assert [at.offset for at in heard.places] == [1, 3]


def test_it_reads_on_from_where_it_was() -> None:
    log = MemoryLog(count=1)
    put(log, told("halt"), told("resume"))
    with reading(log, {"memory/0": 1}) as heard:
        heard.until(lambda: len(heard.asks) == 1)
    assert heard.asks == [told("resume")]


def test_of_signs_of_life_that_wait_only_the_newest_is_handed_over() -> None:
    log = MemoryLog()
    signs = [Alive(MINE, "demo", "1f", ["okx:A"], stamp) for stamp in range(50)]
    put(log, *signs[:25], told("halt"), Alive(MINE, "other", "2a", [], 7), *signs[25:])
    with reading(log) as heard:
        heard.until(lambda: len(heard.asks) == 3)
    assert heard.asks == [told("halt"), Alive(MINE, "other", "2a", [], 7), signs[-1]]


def test_what_cannot_be_read_is_handed_over_whole_and_does_not_stop_what_follows() -> None:
    log = MemoryLog()
    log.append(MINE, b"{")
    put(log, told("halt"))
    with reading(log) as heard:
        heard.until(lambda: len(heard.asks) == 2)
    reject = heard.asks[0]
    assert isinstance(reject, Reject)
    assert reject.payload == "{"
    assert heard.asks[1] == told("halt")


def test_what_the_queue_does_not_keep_any_more_is_told_and_it_reads_on() -> None:
    log = MemoryLog(count=1)
    put(log, told("halt"), told("resume"))
    log.cut("memory/0", 1)
    with reading(log, {"memory/0": 0}) as heard:
        heard.until(lambda: len(heard.asks) == 1)
    assert heard.asks == [told("resume")]
    assert "0 to 1 are not kept any more" in heard.lost[0]


def test_an_error_of_who_takes_them_ends_it_and_is_told() -> None:
    log = MemoryLog()
    put(log, told("halt"))
    heard = Heard()

    def refuse(_ask: Ask | Reject, _at: Position) -> None:
        raise LostError("no more")

    reader = QueueReader(log, MINE, {}, refuse, heard.lost.append, heard.fail)
    reader.start()
    heard.until(lambda: bool(heard.errors))
    reader.stop()
    assert [str(error) for error in heard.errors] == ["no more"]
