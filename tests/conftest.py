"""What every room's tests share: how long hypothesis looks, and where recorded markets are."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from connectors import scrub

ROOT = Path(__file__).parent.parent

# A shell lets what it runs in the background ignore it, and with that all we start and stop by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "default")


# What is collected, half a gigabyte, stays: to search it for garbage takes a tenth of the time.
gc.disable()


def pytest_collection_finish() -> None:
    """Leave what is there by now to itself."""
    gc.enable()
    gc.freeze()


@pytest.fixture(autouse=True)
def _own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a test's own secrets and no others': a key of one may be a word of the next."""
    monkeypatch.setattr(scrub, "_known", set(scrub._known))
    monkeypatch.setattr(scrub, "_pattern", scrub._pattern)


@pytest.fixture(scope="session")
def ticks() -> Path:
    """Give the directory of recorded ticks: TAPEDECK_DATA, or the one beside the repository."""
    given = os.environ.get("TAPEDECK_DATA")
    path = Path(given) if given else ROOT.parent / "shared" / "data" / "ticks"
    if not path.is_dir():
        pytest.skip(f"no recorded ticks at {path}: TAPEDECK_DATA names their directory")
    return path


@pytest.fixture(scope="session")
def wire(ticks: Path) -> Path:
    """Give the directory of recorded wires, beside the recorded ticks."""
    path = ticks.parent / "wire"
    if not path.is_dir():
        pytest.skip(f"no recorded wires at {path}: it stands beside the recorded ticks")
    return path
