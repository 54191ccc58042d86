"""What every log owes its readers and writers: a subclass with a `place` fixture runs it all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from random import Random
from typing import Protocol

import pytest

from connectors.log.log import Appender, Entry, Log, LogError, LostError, partition_of

MARKETS = ("binance:BTC/USDT", "binance:ETH/USDT", "okx:BTC/USDT", "kraken:XRP/EUR", "sim:A/USD")
UNICODE = ("sim:ÄÖ/€", "取引所:円/ドル", "sim:🚀/USD", "sim: spaced /USD")
BIG = 1_000_000
DEADLINE = 60.0


class Place(Protocol):
    """A log with nothing in it yet, of at least two partitions."""

    def log(self) -> Log:
        """Open it, as another process would."""
        ...

    def appender(self) -> Appender:
        """Return a new appender to it."""
        ...

    def cut(self, partition: str, offset: int) -> None:
        """Let retention take what stands in front of `offset`."""
        ...


class LogContract:
    """The tests; names of fixtures and helpers of one log stay in its own file."""

    @pytest.fixture
    def place(self) -> Iterator[Place]:
        raise NotImplementedError

    @pytest.fixture
    def log(self, place: Place) -> Iterator[Log]:
        with closing(place.log()) as log:
            yield log

    def test_an_empty_log_has_partitions_that_keep_and_give_nothing(self, log: Log) -> None:
        names = log.partitions()
        assert len(set(names)) == len(names) >= 2
        for name in names:
            bounds = log.bounds(name)
            assert bounds.first == bounds.end
            assert log.offset_at(name, 0) == bounds.end
            with closing(log.open(name, bounds.end)) as cursor:
                assert cursor.read(10) == []

    def test_who_waits_hears_of_what_comes(self, place: Place, log: Log) -> None:
        name = log.partitions()[partition_of(MARKETS[0], len(log.partitions()))]
        found, end = list[Entry](), log.bounds(name).end

        def hear() -> None:
            with closing(log.open(name, end)) as cursor:
                while not (come := cursor.read(10)):
                    cursor.wait(2 * DEADLINE)
                found.extend(come)

        with closing(place.appender()) as appender:
            hearing = threading.Thread(target=hear, daemon=True)
            hearing.start()
            appender.append(MARKETS[0], b"{}")
            appender.flush()
            hearing.join(DEADLINE)
        assert [entry.message for entry in found] == [b"{}"]

    def test_the_messages_of_a_market_come_back_in_order_in_its_own_partition(
        self, place: Place, log: Log
    ) -> None:
        written = messages(MARKETS, 40)
        append(place, written)
        found = by_partition(log)
        for number, name in enumerate(log.partitions()):
            here = [entry for entry in found[name] if entry.market in MARKETS]
            assert {partition_of(entry.market, len(found)) for entry in here} <= {number}
        for market in MARKETS:
            assert of(market, found) == [m for to, m in written if to == market]

    def test_offsets_grow_and_bounds_hold_all_of_them(self, place: Place, log: Log) -> None:
        for _ in range(3):
            append(place, messages(MARKETS, 5))
            for name, entries in by_partition(log).items():
                offsets = [entry.offset for entry in entries]
                assert offsets == sorted(set(offsets))
                bounds = log.bounds(name)
                assert all(bounds.first <= offset < bounds.end for offset in offsets)

    def test_it_is_read_from_any_offset_and_by_any_limit(self, place: Place, log: Log) -> None:
        append(place, messages(MARKETS[:1], 30))
        name = home(log, MARKETS[0])
        whole = read_all(log, name)
        assert len(whole) == 30
        for at in (0, 1, 17, 29):
            assert read_all(log, name, whole[at].offset) == whole[at:]
        for limit in (1, 7, 1000):
            with closing(log.open(name, whole[0].offset)) as cursor:
                parts = list(chunks(cursor.read, limit, 30))
            assert [entry for part in parts for entry in part] == whole
            assert max(map(len, parts)) <= limit

    def test_an_offset_is_found_by_the_time_of_appending(self, place: Place, log: Log) -> None:
        market = MARKETS[0]
        name = home(log, market)
        append(place, messages([market], 4))
        between = tick()
        tick()
        append(place, messages([market], 3))
        whole = read_all(log, name)
        assert log.offset_at(name, between) == whole[4].offset
        assert log.offset_at(name, 0) == whole[0].offset
        assert log.offset_at(name, time.time_ns() + 3_600 * 10**9) == log.bounds(name).end

    def test_a_reader_sees_what_is_appended_behind_it(self, place: Place, log: Log) -> None:
        written = messages(MARKETS[:1], 300)
        name = home(log, MARKETS[0])

        def write() -> None:
            with closing(place.appender()) as appender:
                for number, (market, message) in enumerate(written):
                    appender.append(market, message)
                    if number % 10 == 9:
                        appender.flush()

        thread = threading.Thread(target=write)
        with closing(log.open(name, log.bounds(name).first)) as cursor:
            thread.start()
            parts = chunks(cursor.read, 16, len(written))
            assert [entry.message for part in parts for entry in part] == [m for _, m in written]
            assert cursor.read(16) == []
        thread.join()

    def test_what_is_flushed_or_closed_is_there_for_whoever_opens_the_log(
        self, place: Place
    ) -> None:
        with closing(place.appender()) as appender:
            appender.append(MARKETS[0], b"first")
            appender.flush()
            assert everything(place) == {(MARKETS[0], b"first")}
            appender.flush()
            appender.append(MARKETS[1], b"second")
        assert everything(place) == {(MARKETS[0], b"first"), (MARKETS[1], b"second")}

    def test_big_messages_and_any_bytes_come_back_as_they_were(
        self, place: Place, log: Log
    ) -> None:
        contents = [Random(1).randbytes(BIG), b"\x00", bytes(range(256)), b"{}", b"x" * BIG]
        append(place, [(MARKETS[0], content) for content in contents])
        assert of(MARKETS[0], by_partition(log)) == contents

    def test_markets_may_have_any_name(self, place: Place, log: Log) -> None:
        written = messages(UNICODE, 3)
        append(place, written)
        found = by_partition(log)
        for market in UNICODE:
            assert of(market, found) == [m for to, m in written if to == market]
            assert home(log, market) in [
                name for name, entries in found.items() if market in {e.market for e in entries}
            ]

    def test_several_appenders_at_once_lose_double_and_disorder_nothing(
        self, place: Place, log: Log
    ) -> None:
        def write(who: int) -> None:
            with closing(place.appender()) as appender:
                for number in range(100):
                    appender.append(f"sim:{who}/USD", b"%d" % number)
                    appender.append("sim:shared/USD", b"%d %d" % (who, number))
                    if number % 30 == 29:
                        appender.flush()

        threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = by_partition(log)
        shared = of("sim:shared/USD", found)
        assert len(shared) == 400
        for who in range(4):
            assert of(f"sim:{who}/USD", found) == [b"%d" % number for number in range(100)]
            mine = [b"%d %d" % (who, number) for number in range(100)]
            assert [m for m in shared if m.startswith(b"%d " % who)] == mine

    def test_partitions_keep_their_names_and_messages_their_offsets(self, place: Place) -> None:
        append(place, messages(MARKETS, 3))
        seen = []
        for _ in range(2):
            with closing(place.log()) as log:
                seen.append((log.partitions(), by_partition(log)))
        assert seen[0] == seen[1]

    def test_cursors_do_not_disturb_each_other(self, place: Place, log: Log) -> None:
        append(place, messages(MARKETS[:1], 20))
        name = home(log, MARKETS[0])
        whole = read_all(log, name)
        with (
            closing(log.open(name, whole[0].offset)) as one,
            closing(log.open(name, whole[10].offset)) as other,
        ):
            taken = [
                next(chunks(cursor.read, 1, 1))[0]
                for _ in range(5)
                for cursor in (one, other)
            ]  # fmt: skip
        assert taken[::2] == whole[:5]
        assert taken[1::2] == whole[10:15]

    def test_whoever_reads_what_is_gone_is_told_what_and_how_to_go_on(
        self, place: Place, log: Log
    ) -> None:
        append(place, messages(MARKETS[:1], 20))
        name = home(log, MARKETS[0])
        whole = read_all(log, name)
        first, kept = whole[0].offset, whole[12].offset
        place.cut(name, kept)
        wait_for(lambda: log.bounds(name).first == kept)
        with pytest.raises(LostError) as lost, closing(log.open(name, first)) as cursor:
            list(chunks(cursor.read, 100, 1))
        said = str(lost.value)
        assert name in said
        assert f"{kept - first:,}" in said
        assert f"{first:,}" in said
        assert "replay" in said
        assert read_all(log, name, kept) == whole[12:]

    def test_an_offset_behind_the_end_is_refused(self, place: Place, log: Log) -> None:
        append(place, messages(MARKETS[:1], 3))
        name = home(log, MARKETS[0])
        with pytest.raises(LogError), closing(log.open(name, log.bounds(name).end + 5)) as cursor:
            list(chunks(cursor.read, 100, 1))

    def test_a_partition_of_another_log_is_refused(self, log: Log) -> None:
        with pytest.raises(LogError, match="another-log/0"):
            log.bounds("another-log/0")


class _Read(Protocol):
    def __call__(self, limit: int) -> list[Entry]: ...


def messages(markets: Sequence[str], each: int) -> list[tuple[str, bytes]]:
    """Return messages of markets, mixed; those of one are told apart."""
    return [(market, f"{market} {n}".encode()) for n in range(each) for market in markets]


def append(place: Place, written: Sequence[tuple[str, bytes]]) -> None:
    """Append messages, durably."""
    with closing(place.appender()) as appender:
        for market, message in written:
            appender.append(market, message)


def home(log: Log, market: str) -> str:
    """Return the name of a market's partition."""
    names = log.partitions()
    return names[partition_of(market, len(names))]


def chunks(read: _Read, limit: int, count: int) -> Iterator[list[Entry]]:
    """Read until there were `count` messages; what is not there yet may take a while."""
    deadline = time.monotonic() + DEADLINE
    while count > 0:
        assert time.monotonic() < deadline, f"{count} messages did not come"
        if part := read(limit):
            count -= len(part)
            yield part


def read_all(log: Log, partition: str, offset: int | None = None) -> list[Entry]:
    """Return what a partition keeps now, from an offset on."""
    bounds = log.bounds(partition)
    at = bounds.first if offset is None else offset
    found: list[Entry] = []
    with closing(log.open(partition, at)) as cursor:
        deadline = time.monotonic() + DEADLINE
        while at < bounds.end:
            assert time.monotonic() < deadline, f"nothing at {at} of {partition}: {bounds}"
            found += (part := cursor.read(50))
            at = part[-1].offset + 1 if part else at
    return found


def by_partition(log: Log) -> dict[str, list[Entry]]:
    """Return what each partition keeps now."""
    return {name: read_all(log, name) for name in log.partitions()}


def of(market: str, found: dict[str, list[Entry]]) -> list[bytes]:
    """Return a market's messages, wherever they are."""
    return [e.message for entries in found.values() for e in entries if e.market == market]


def everything(place: Place) -> set[tuple[str, bytes]]:
    """Return all markets and messages, as one who opens the log now sees them."""
    with closing(place.log()) as log:
        return {(e.market, e.message) for part in by_partition(log).values() for e in part}


def wait_for(seen: Callable[[], bool]) -> None:
    """Wait until something is seen."""
    deadline = time.monotonic() + DEADLINE
    while not seen():
        assert time.monotonic() < deadline


def tick() -> int:
    """Wait until the clock has come to another millisecond, and return it."""
    start = time.time_ns() // 10**6
    while (now := time.time_ns() // 10**6) <= start + 1:
        pass
    return now * 10**6
