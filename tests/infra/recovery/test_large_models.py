"""A flow with a forest, killed and resumed: its model stands beside snapshots, and is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.simulated.simulate import simulate
from tests.infra.rig import LEARNED, Rig, until, written

FOREST = """
def model() -> Model:
    return forest.ARFClassifier(n_models=5, grace_period=20, seed=1)


def cross("""
MARKETS = ["sim:A/USD", "sim:B/USD"]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    content = LEARNED.read_text().replace("river import linear_model", "river import forest")
    head, tail = content.split("def model()")
    (tmp_path / "wood.py").write_text(head + FOREST.lstrip() + tail.split("def cross(")[1])
    simulate(tmp_path / "ticks.parquet", MARKETS, 0.6, seed=1, signal=1.0)
    return Rig(tmp_path)


def test_a_killed_forest_goes_on_as_if_it_had_not_been(rig: Rig) -> None:
    store, large = rig.home / "store", rig.home / "store" / "large"
    command = ("replay", rig.home / "wood.py", "--data", rig.home / "ticks.parquet", "--no-history")
    rig.deck(*command, "--events", rig.home / "whole.jsonl")
    kept = (*command, "--batch", 64, "--recovery", store, "--events", rig.home / "events.jsonl")
    for kilobytes in (300, 600):
        with rig.started(*kept) as process:
            there = lambda limit=kilobytes: large.exists() and written(store) > limit << 10  # noqa: E731
            assert until(process, there)
    rig.deck(*kept, "--processes", 2)
    assert (rig.home / "events.jsonl").read_bytes() == (rig.home / "whole.jsonl").read_bytes()
    assert 0 < len([*large.iterdir()]) <= 3 * len(MARKETS)


def test_a_store_without_the_model_that_it_needs_is_refused(rig: Rig) -> None:
    store, large = rig.home / "store", rig.home / "store" / "large"
    command = ("replay", rig.home / "wood.py", "--data", rig.home / "ticks.parquet", "--no-history")
    kept = (*command, "--batch", 64, "--recovery", store)
    with rig.started(*kept) as process:
        assert until(process, lambda: large.exists() and len([*large.iterdir()]) > 2)
        process.terminate()
        process.wait()
    for path in large.iterdir():
        path.unlink()
    said = rig.deck(*kept, status=1)
    assert "is missing: put back the whole directory" in said.err
