"""What a client of a log's writer owes its caller."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from connectors.log.client import LogClient
from connectors.log.log import LogError
from connectors.log.wire import MAX_MESSAGE
from tests.connectors.log_contract import everything, wait_for
from tests.connectors.log_rig import ServedPlace, served, serving_process

MARKET = "sim:A/USD"


def test_a_client_whose_writer_does_not_come_back_says_what_to_do(tmp_path: Path) -> None:
    with serving_process(tmp_path / "log") as process:
        client = LogClient(tmp_path / "log", patience=0.1)
        process.kill()
        process.wait()
        calls: list[Callable[[], None]] = [partial(client.append, MARKET, b""), client.flush]
        for call in calls * 2:
            with pytest.raises(LogError, match=r"is gone, and 1 messages .*: deck log start, then"):
                call()
        client.close()


def test_without_a_writer_there_is_no_client(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"nobody writes to the log in .*: deck log start"):
        LogClient(tmp_path)


def test_a_client_waits_when_too_much_is_under_way(tmp_path: Path) -> None:
    with serving_process(tmp_path / "log") as process:
        client = LogClient(tmp_path / "log", under_way=1_000_000)
        process.send_signal(signal.SIGSTOP)
        sent = 0

        def write() -> None:
            nonlocal sent
            for _ in range(100):
                client.append(MARKET, bytes(100_000))
                sent += 1

        thread = threading.Thread(target=write)
        thread.start()
        wait_for(lambda: sent >= 9)
        thread.join(0.2)  # long enough for a client that does not wait to end
        assert thread.is_alive()
        assert sent == 9
        process.send_signal(signal.SIGCONT)
        thread.join()
        client.close()


def test_a_writer_that_ends_with_all_taken_is_no_trouble_until_there_is_more(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "log"):
        client = LogClient(tmp_path / "log", patience=0.0)
        client.append(MARKET, b"one")
        client.flush()
    client.flush()
    with served(tmp_path / "log") as server:
        client.append(MARKET, b"two")
        client.close()
        assert everything(ServedPlace(server)) == {(MARKET, b"one"), (MARKET, b"two")}


def test_a_writer_that_does_not_know_the_client_any_more_is_not_given_anything_again(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "one"):
        client = LogClient(tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "old")
    with served(tmp_path / "one") as server:
        with pytest.raises(LogError, match="does not know this client any more: begin a new one"):
            client.append(MARKET, b"x")
        assert everything(ServedPlace(server)) == set()
    client.close()


def test_a_message_that_is_too_large_is_refused_and_others_go_on(tmp_path: Path) -> None:
    with served(tmp_path / "log") as server, closing(LogClient(tmp_path / "log")) as client:
        with pytest.raises(LogError, match=r"sim:A/USD: 67,108,865 bytes; a message has at most"):
            client.append(MARKET, bytes(MAX_MESSAGE + 1))
        client.append(MARKET, b"small")
        client.flush()
        assert everything(ServedPlace(server)) == {(MARKET, b"small")}


def test_a_message_larger_than_what_may_be_under_way_goes_in(tmp_path: Path) -> None:
    with served(tmp_path / "log") as server:
        with closing(LogClient(tmp_path / "log", under_way=1_000)) as client:
            client.append(MARKET, bytes(3_000_000))
        assert everything(ServedPlace(server)) == {(MARKET, bytes(3_000_000))}
