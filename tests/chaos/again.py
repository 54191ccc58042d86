"""What is left of a deployment, and that its log gives it once more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from infra.deploy.deployment import Place
from infra.history.history import History
from infra.running.replay import replay
from infra.running.sources import FromLog
from infra.settings import Settings
from infra.verify.past_run import find
from tests.infra.rig import history_of

NAME = "chaos"
"""What the deployment is called."""
Rows: TypeAlias = "dict[str, list[Any]]"
"""By table, what history holds of a run."""


class Lived(NamedTuple):
    """What a deployment has lived through, and what it left."""

    rows: Rows
    seconds: float
    restarts: int
    struck: list[str]
    """What went wrong; in brackets what met nobody."""


def history(home: Path) -> Rows:
    """Return what a home's history holds of its deployment."""
    return _rows(home, Place(home, NAME).run)


def see_replay(home: Path, log: FromLog, rows: Rows) -> None:
    """See that a log gives history once more, row for row, if nothing goes wrong.

    Parameters
    ----------
    home
        Of the deployment; another one is made beside it.
    log
        What the deployment read.
    rows
        What is in its history.

    """
    beside = Settings(home.with_name(f"{home.name}-again"))
    past = find(NAME, Settings(home))
    flow = Path(_flow(home))
    try:
        job = replace(past.job(flow, log), history=True, settings=beside)
        replay(job, None, None, lambda _: None)
        again = _rows(beside.home, past.run)
    finally:
        History(beside).stop()
    assert again.keys() == rows.keys()
    for name, found in again.items():
        assert found == rows[name], name


def _flow(home: Path) -> str:
    deployment = Place(home, NAME).load()
    assert deployment is not None
    return deployment.flow


def _rows(home: Path, run: str) -> Rows:
    with History(Settings(home)).client("reader") as client:
        return history_of(client, run)
