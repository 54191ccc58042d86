"""The stand-in as a demonstration: served, told of, ended by a signal."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.standin.__main__ import recorded, simulated

ROOT = Path(__file__).parents[2]


def test_without_captures_it_plays_a_simulated_market(tmp_path: Path) -> None:
    assert recorded(tmp_path / "nowhere") == []
    capture = simulated()
    assert capture.unified == "BTC/USDT"
    assert len(capture.trades) > 1_000


@pytest.mark.parametrize("exchange", ["binance", "okx"])
def test_it_tells_what_to_set_and_ends_by_a_signal(exchange: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.standin", "--exchange", exchange, "--now"]
    with subprocess.Popen(
        [*command, "--data", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if "EXCHANGE_URLS" in line)
            told = re.fullmatch(rf"export EXCHANGE_URLS={exchange}=(http://127.0.0.1:\d+)\n", line)
            assert told is not None
            paths = {"binance": "api.binance.com/api/v3", "okx": "www.okx.com/api/v5/public"}
            with urllib.request.urlopen(f"{told[1]}/{paths[exchange]}/time") as answer:
                assert answer.status == 200
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
