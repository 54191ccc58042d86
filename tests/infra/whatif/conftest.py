"""One recording for all tests of this room, and a bench for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.history.history import History
from tests.infra.rig import recording
from tests.infra.whatif.rig import Bench


@pytest.fixture(scope="session")
def wavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    whole = recording(tmp_path_factory.mktemp("wavy") / "whole.jsonl")
    lines = whole.read_bytes().splitlines(keepends=True)
    short = whole.with_name("tape.jsonl")
    short.write_bytes(b"".join(lines[: len(lines) // 2]))
    return short


@pytest.fixture
def bench(tmp_path: Path, history: History, wavy: Path) -> Bench:
    return Bench(tmp_path, history, wavy)
