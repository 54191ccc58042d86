"""A run on a simulated market, played once for all tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.simulated.simulate import simulate
from infra.history.history import History
from tests.infra.stories.played import Played, play

MARKETS = ["sim:BTC/USDT", "sim:ETH/BTC"]


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("recorded") / "sim.parquet"
    simulate(data, MARKETS, 0.15, seed=4, signal=1.0)
    return data


@pytest.fixture(scope="session")
def played(history: History, recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(history, tmp_path_factory.mktemp("played"), recording)
