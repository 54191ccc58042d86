"""Processes that outlive the command that starts them."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol

import psutil
import pytest

from connectors.log.holder import holder
from infra.history.history import History
from infra.log.log import MarketLog
from infra.settings import Settings


class Client(Protocol):
    """What talks to one."""

    def close(self) -> object: ...


@pytest.mark.parametrize(
    "start", [lambda own: History(own).client("reader"), lambda own: MarketLog(own).client()]
)
def test_what_a_process_started_that_is_deaf_to_signals_ends_when_it_is_asked_to(
    start: Callable[[Settings], Client], tmp_path: Path
) -> None:
    settings = Settings(tmp_path)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        with closing(start(settings)):
            pass
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        ended = [part.stop() for part in (History(settings), MarketLog(settings))]
    [said] = tmp_path.rglob("server.log")
    assert any(ended)
    assert said.read_text().endswith("stopped\n")


def test_who_sends_no_orders_is_not_given_the_keys_of_accounts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPEDECK_ACCOUNT_MAIN_SECRET", "s3cret")
    log = MarketLog(Settings(tmp_path))
    log.start()
    writer = holder(log.directory)
    given = psutil.Process(writer.pid).environ() if writer else {}
    log.stop()
    assert "PATH" in given
    assert "TAPEDECK_ACCOUNT_MAIN_SECRET" not in given
