"""What was asked for, kept and read again; who is its parent."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from infra.deploy import deploy_command
from infra.deploy import status as states
from infra.deploy.deployment import DeployError, Deployment, Place, places
from infra.deploy.status import Status
from infra.running.far import Far, Line


def test_what_was_asked_for_is_read_as_it_was_kept(tmp_path: Path) -> None:
    place = Place(tmp_path, "cross")
    asked = Deployment("cross", "/flows/cross.py", markets=("okx:A/B",), options={"speed": "2"})
    assert place.load() is None
    place.save(asked)
    assert place.load() == asked
    assert [found.name for found in places(tmp_path)] == ["cross"]
    assert (place.directory / "deployment.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "x" * 65, "a.b", "a\n"])
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DeployError, match="give one with --name"):
        Place(tmp_path, name)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": 1}', "null", '{"markets": 3}'])
def test_a_damaged_file_is_told(tmp_path: Path, content: str) -> None:
    place = Place(tmp_path, "cross")
    place.save(Deployment("cross", "/x.py"))
    (place.directory / "deployment.json").write_text(content)
    with pytest.raises(DeployError, match="is damaged"):
        place.load()


def test_one_parent_has_a_deployment(tmp_path: Path) -> None:
    place = Place(tmp_path, "cross")
    assert not place.runs()
    held = place.alone()
    assert held is not None
    assert place.runs()
    assert place.alone() is None
    held.close()
    assert not place.runs()


def test_a_parent_that_has_said_its_last_word_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path, "cross")
    held = place.alone()
    assert held is not None
    monkeypatch.setattr(time, "sleep", lambda _: held.close())
    states.save(place.status, Status(states.RUNNING))
    assert deploy_command._goes_on(place)
    states.save(place.status, Status(states.FINISHED))
    assert not deploy_command._goes_on(place)


def test_a_status_is_read_as_it_was_said_and_anything_else_is_none(tmp_path: Path) -> None:
    path = Place(tmp_path, "cross").status
    assert states.load(path) is None
    fars = [Far(1, 2, 3, {"okx:A": Line(position="long 2 at 7", stamp=9)}, behind=4), Far(trades=5)]
    said = Status(states.RUNNING, processes=(1, 2), **states.standing(fars))  # type: ignore[arg-type]
    states.save(path, said)
    assert states.load(path) == said
    assert (said.trades, said.last_event, said.behind) == (8, 9, 4)
    assert said.alive
    for torn in ("", "{", "[1]", '{"state": "running", "markets": {"a": {"x": 1}}}'):
        path.write_text(torn)
        assert states.load(path) is None
