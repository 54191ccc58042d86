"""The run that is forked: the tape it read, the flow it ran, and how it was set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from infra.recovery.store import StoreError
from infra.running import flowfile
from infra.running.sources import FromLog
from infra.running.worker import Job
from infra.settings import Settings
from infra.trading.trading import Trading
from infra.verify import past_run
from infra.verify.past_run import PastRun
from infra.verify.which import Run, which
from infra.whatif import tapes
from infra.whatif.knobs import Changes
from operators import Costs
from schemas.mendable import Mendable

_TAPE = "tape"
"""The log of a rehearsal, beside its store."""
TRADED = ("paper", "sandbox", "live")
"""The modes of runs that go on with their market."""


class ParentError(Mendable, ValueError):
    """A run that cannot be forked; the text says why, and what to do."""


@dataclass(frozen=True)
class Parent:
    """A run, and what replays it on paper.

    Parameters
    ----------
    run
        Which one.
    job
        What reads its tape again, as it was set.
    changes
        What was set in it otherwise than its flow file has it.
    said
        What is to be known before it is compared with.

    """

    run: Run
    job: Job
    changes: Changes = ()
    said: str = ""


def find(name: str, client: Client, settings: Settings, flow: Path | None) -> Parent:
    """Return the run that is meant, ready to be replayed.

    Parameters
    ----------
    name
        A run's id or how it begins; a deployment, or a flow for its latest run.
    client
        Reads history.
    settings
        Where the stores of runs are.
    flow
        The flow file, if it is not where it was.

    Raises
    ------
    ParentError
        When it did not note what tape it read, or has itself been set at a time.

    """
    run = which(name, client, settings.home)
    noted = _noted(run, client)
    file = flow or _file(run, noted)
    if run.mode in TRADED:
        return replace(_traded(run, file, settings), said=_other_code(run, file))
    if "tape" not in noted:
        raise ParentError(
            f"run {run.run[:8]} was made by an earlier Tapedeck, which did not note its tape: "
            f"replay it once more, and fork that"
        )
    if noted.get("at") is not None:
        raise ParentError(
            f"run {run.run[:8]} was itself set otherwise at a time: fork the run "
            f"{noted['parent'][:8]} that it came from"
        )
    job = tapes.job_of(noted["tape"], file, Costs(**noted["costs"]))
    changes = tuple(sorted(noted.get("set", {}).items()))
    return Parent(run, replace(job, settings=settings), changes, _other_code(run, file))


def _noted(run: Run, client: Client) -> Mapping[str, Any]:
    """Return what a run noted of its settings."""
    query = "SELECT settings FROM runs FINAL WHERE flow = {flow:String} AND run = {run:String}"
    rows = client.query(query, {"flow": run.flow, "run": run.run}).result_rows
    noted: Mapping[str, Any] = orjson.loads(rows[0][0]) if rows else {}
    return noted


def _file(run: Run, noted: Mapping[str, Any]) -> Path:
    """Return the flow file of a run: where it was, or where flows are."""
    there = [Path(noted["tape"]["file"])] if "tape" in noted else []
    there += [Path(f"{run.flow}.py"), Path("flows", f"{run.flow}.py")]
    found = next((path for path in there if path.is_file()), None)
    if found is None:
        raise ParentError(
            f"{there[0]}: the flow file of the run is not there: name it, --flow FILE"
        )
    return found


def _traded(run: Run, file: Path, settings: Settings) -> Parent:
    """Return a run that traded, from its store: on paper now, whoever filled its orders then."""
    try:
        past: PastRun = past_run.find(run.run, settings)
        rehearsed = past.store.parent / _TAPE
        job = past.job(file, FromLog(rehearsed) if rehearsed.is_dir() else None)
    except StoreError as error:
        raise ParentError(str(error).replace("--as ", "")) from None
    return Parent(run, replace(job, trading=Trading(), run="", history=True, settings=settings))


def _other_code(run: Run, file: Path) -> str:
    """Say that the flow file is another one now, if it is."""
    now = flowfile.load(file).code_version
    if now == run.code_version:
        return ""
    return (
        f"the flow file was {run.code_version} when {run.run[:8]} ran, and is {now} now: what "
        f"differs may be that"
    )
