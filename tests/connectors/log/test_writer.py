"""One process writes; the others hand theirs to it, and it may be killed."""

from __future__ import annotations

import socket
import stat
import threading
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from selectors import EVENT_WRITE

import pytest

from connectors.log.client import LogClient
from connectors.log.keeper import Keep
from connectors.log.log import LogError
from connectors.log.sqlite_log import SqliteLog
from connectors.log.sqlite_writer import SqliteWriter
from connectors.log.wire import SOCKET, answer, frame, hello
from connectors.log.writer import LogServer
from tests.connectors.log_contract import by_partition, everything, of, wait_for
from tests.connectors.log_rig import ServedPlace, served, serving_process

MARKET = "sim:A/USD"


def _both_went_on(sent: list[int], before: list[int]) -> bool:
    return all(now > was + 500 for now, was in zip(sent, before, strict=True))


def test_a_writer_killed_again_and_again_loses_doubles_and_disorders_nothing(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "log"
    sent = [0, 0]
    over = threading.Event()

    def write(who: int) -> None:
        with closing(LogClient(directory, under_way=20_000, patience=60.0)) as client:
            while not over.is_set():
                client.append(f"sim:{who}", b"%d" % sent[who])
                client.append("sim:both", b"%d %d" % (who, sent[who]))
                sent[who] += 1

    threads = [threading.Thread(target=write, args=(who,)) for who in range(2)]
    for life in range(11):
        with serving_process(directory) as process:
            if not life:
                for thread in threads:
                    thread.start()
            wait_for(partial(_both_went_on, sent, sent.copy()))
            if life < 10:
                process.kill()
            else:
                over.set()
                for thread in threads:
                    thread.join()
    with closing(SqliteLog(directory)) as log:
        found = by_partition(log)
    both = of("sim:both", found)
    assert len(both) == sum(sent)
    for who in range(2):
        assert of(f"sim:{who}", found) == [b"%d" % number for number in range(sent[who])]
        mine = [message for message in both if message.startswith(b"%d " % who)]
        assert mine == [b"%d %d" % (who, number) for number in range(sent[who])]


def test_what_was_sent_before_a_stop_is_taken(tmp_path: Path) -> None:
    with (
        closing(SqliteWriter(tmp_path / "log", 4)) as writer,
        socket.socket(socket.AF_UNIX) as client,
    ):
        server = LogServer(writer)
        client.connect(str(tmp_path / "log" / SOCKET))
        client.sendall(hello(b"x" * 16, again=False) + frame(1, MARKET, b"just in time"))
        server.stop()
        server.serve()
        assert everything(ServedPlace(server)) == {(MARKET, b"just in time")}
        assert client.recv(1_000).endswith(answer(1))


def test_what_the_disk_does_not_take_is_told_and_the_next_client_is_served(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "log") as server:
        pages = "PRAGMA max_page_count = {}"
        server.writer._file.execute(pages.format(20))
        client = LogClient(server.writer.directory)
        client.append(MARKET, bytes(1_000_000))
        with pytest.raises(LogError, match="the disk is full, nothing more can be kept: free some"):
            client.flush()
        client.close()
        server.writer._file.execute(pages.format(1 << 30))
        with closing(LogClient(server.writer.directory)) as other:
            other.append(MARKET, b"next")
        assert everything(ServedPlace(server)) == {(MARKET, b"next")}


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        hello(b"x" * 16, again=False) + frame(2, MARKET, b"a hole"),
        hello(b"x" * 16, again=False) + b"\xff" * 14,
        hello(b"x" * 16, again=True),
    ],
)
def test_a_client_that_talks_nonsense_is_sent_away_and_others_are_served(
    sent: bytes, tmp_path: Path
) -> None:
    with served(tmp_path / "log") as server, closing(LogClient(tmp_path / "log")) as client:
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.settimeout(30)
            stranger.connect(str(tmp_path / "log" / SOCKET))
            stranger.sendall(sent)
            while stranger.recv(1_000):
                pass
        client.append(MARKET, b"mine")
        client.flush()
        assert everything(ServedPlace(server)) == {(MARKET, b"mine")}


def test_half_a_message_is_not_taken(tmp_path: Path) -> None:
    whole, half = frame(1, MARKET, b"whole"), frame(2, MARKET, b"half")[:-1]
    with served(tmp_path / "log") as server:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "log" / SOCKET))
            client.sendall(hello(b"x" * 16, again=False) + whole + half)
            client.shutdown(socket.SHUT_WR)
            said = b""
            while data := client.recv(1_000):
                said += data
        assert said.endswith(answer(1))
        assert everything(ServedPlace(server)) == {(MARKET, b"whole")}


def test_a_client_that_does_not_listen_is_answered_when_it_does(tmp_path: Path) -> None:
    with (
        served(tmp_path / "log") as server,
        closing(SqliteLog(tmp_path / "log")) as log,
        socket.socket(socket.AF_UNIX) as client,
    ):
        client.settimeout(60)
        client.connect(str(tmp_path / "log" / SOCKET))
        client.sendall(hello(b"x" * 16, again=False))
        number = 0
        while not _blocked(server):
            number += 1
            client.sendall(frame(number, MARKET, b""))
            wait_for(partial(_taken, log, number, server))
            assert number < 10_000
        client.sendall(frame(number + 1, MARKET, b""))
        said = b""
        while not said.endswith(answer(number + 1)):
            said += client.recv(100_000)


def _blocked(server: LogServer) -> bool:
    """Tell whether an answer waits for room."""
    return any(key.events == EVENT_WRITE for key in server._selector.get_map().values())


def _taken(log: SqliteLog, count: int, server: LogServer) -> bool:
    """Tell whether so much is taken, or never will be: an answer before it has no room."""
    return _has(log, count) or _blocked(server)


def _has(log: SqliteLog, count: int) -> bool:
    return sum(log.bounds(name).end for name in log.partitions()) >= count


def test_a_log_with_a_long_path_is_reached(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 30) / "log"
    with served(directory) as server:
        with closing(LogClient(directory)) as client:
            client.append(MARKET, b"here")
        assert everything(ServedPlace(server)) == {(MARKET, b"here")}
    assert not (directory / SOCKET).exists()


def test_everything_is_for_its_owner_only(tmp_path: Path) -> None:
    with served(tmp_path / "log"), closing(LogClient(tmp_path / "log")) as client:
        client.append(MARKET, b"secret")
        client.flush()
        files = [tmp_path / "log", *(tmp_path / "log").iterdir()]
        assert {path.name for path in files} >= {SOCKET, "market.sqlite3", "market.sqlite3-wal"}
        for path in files:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_it_forgets_while_it_serves(tmp_path: Path) -> None:
    with served(tmp_path / "log") as server, closing(LogClient(tmp_path / "log")) as client:
        for number in range(200):
            client.append(MARKET, b"%d" % number)
    with served(tmp_path / "log", Keep(age=0, size=None)) as server, ExitStack() as stack:
        log = stack.enter_context(closing(ServedPlace(server).log()))
        wait_for(lambda: max(log.bounds(name).first for name in log.partitions()) == 200)
