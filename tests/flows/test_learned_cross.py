"""The learned flow: it learns what can be learnt, claims nothing else, and its labels are true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from connectors.simulated.simulate import simulate
from flows import learned_cross
from infra.running.replay import replay
from infra.running.sources import Files
from infra.running.worker import Job
from infra.settings import Settings

FLOW = Path(__file__).parents[2] / "flows" / "learned_cross.py"


@dataclass(frozen=True)
class Run:
    """The events of a run, by type."""

    events: dict[str, list[dict[str, object]]]

    @property
    def scores(self) -> dict[str, float]:
        """The model's scores at the end."""
        metrics = self.events["Outcome"][-1]["metrics"]
        assert isinstance(metrics, dict)
        return metrics


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], Run]:
    """Replay six simulated days, with that much of a planted signal."""

    def play(signal: float) -> Run:
        home = tmp_path_factory.mktemp("learned")
        data, out = home / "market.parquet", home / "events.jsonl"
        simulate(data, ["sim:BTC/USDT"], 6, 7, signal=signal, book_every=5.0)
        job = Job(
            FLOW, Files((data,)), costs=learned_cross.COSTS, history=False, settings=Settings(home)
        )
        replay(job, None, out, lambda _: None)
        events: dict[str, list[dict[str, object]]] = {}
        for line in out.read_bytes().splitlines():
            event = orjson.loads(line)
            events.setdefault(event["type"], []).append(event)
        return Run(events)

    return play


@pytest.fixture(scope="module")
def planted(run: Callable[[float], Run]) -> Run:
    """Replay a market in which the future can partly be learnt."""
    return run(1.0)


def test_on_a_planted_signal_the_model_beats_the_base_rate(planted: Run) -> None:
    scores = planted.scores
    assert scores["log_loss"] < scores["base_log_loss"]
    assert scores["auc"] > 0.57


def test_on_pure_noise_it_does_not_pretend_to(run: Callable[[float], Run]) -> None:
    scores = run(0.0).scores
    assert scores["log_loss"] > scores["base_log_loss"] - 0.002
    assert scores["auc"] < 0.55


def test_each_label_is_what_the_position_did(planted: Run) -> None:
    shadows = {outcome["entry_ts"]: outcome for outcome in planted.events["Outcome"]}
    closed = planted.events["Closed"]
    assert len(closed) > 10
    for position in closed:
        shadow = shadows[position["opened_ts"]]
        assert (shadow["ts"], shadow["why"]) == (position["ts"], position["why"])
        assert shadow["net_return"] == position["net_return"]
        assert shadow["entry"] == float(str(position["entry"]))
        assert shadow["exit"] == float(str(position["exit"]))
