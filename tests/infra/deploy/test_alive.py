from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from infra.deploy import alive
from infra.deploy.deployment import Deployment, Place
from infra.deploy.status import FAILED, RESTARTING, RUNNING, STARTING, STOPPED, Status, save

OLD = 3600 * 10**9


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAPEDECK_HOME", str(tmp_path))
    return tmp_path


def said(home: Path, name: str, status: Status) -> None:
    place = Place(home, name)
    place.save(Deployment(name, "/x.py"))
    save(place.status, status)


@pytest.mark.parametrize(
    ("state", "runs", "lives"),
    [(RUNNING, 0, 0), (STARTING, 1, 0), (RESTARTING, 1, 0), (STOPPED, 1, 1), (FAILED, 1, 1)],
)
def test_a_parent_lives_also_while_its_flow_does_not_run(
    home: Path, state: str, runs: int, lives: int
) -> None:
    said(home, "cross", Status(state))
    assert alive.main(["cross"]) == runs
    assert alive.main(["cross", "--parent"]) == lives


def test_a_parent_that_says_nothing_any_more_is_dead(home: Path) -> None:
    said(home, "cross", replace(Status(RUNNING), said=time.time_ns() - OLD))
    assert alive.main(["cross"]) == alive.main(["cross", "--parent"]) == 1


def test_the_only_deployment_needs_no_name(home: Path) -> None:
    assert alive.main([]) == 1
    said(home, "cross", Status(RUNNING))
    assert alive.main([]) == 0


def test_of_two_one_must_be_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("cross", "other"):
        said(home, name, Status(RUNNING))
    assert alive.main([]) == 1
    assert "which deployment? There are: cross, other" in capsys.readouterr().err
    assert alive.main(["other"]) == 0
