"""One embedded history for all tests that only use it: real chDB, the real HTTP client."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from infra.history.history import History
from infra.settings import Settings


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    kept = History(Settings(tmp_path_factory.mktemp("deck")))
    kept.start()
    yield kept
    kept.stop()


@pytest.fixture(scope="session")
def reader(history: History) -> Iterator[Client]:
    with history.client("reader") as client:
        yield client


@pytest.fixture(scope="session")
def writer(history: History) -> Iterator[Client]:
    with history.client("writer") as client:
        yield client


@pytest.fixture(scope="session")
def owner(history: History) -> Iterator[Client]:
    with history.client("owner") as client:
        yield client


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """Give a file of this machine that no user of history may ever see."""
    path = tmp_path / "secret.txt"
    path.write_text("planted\n")
    return path
