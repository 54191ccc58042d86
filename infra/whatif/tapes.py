"""Which tape a run read, written down beside it: enough for another run to read the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

from connectors.log.log import Bounds
from connectors.log.offsets import State, start
from infra.running.sources import Files, FromHistory, FromKafka, FromLog, Origin
from infra.running.worker import Job
from infra.trading.trading import Trading
from infra.verify.as_read import AnyLog, AsRead
from operators import Costs

Told: TypeAlias = Mapping[str, Any]
"""Plain values, as JSON has them."""


def told(job: Job, stretches: Mapping[str, Bounds]) -> dict[str, Any]:
    """Return what names the tape of a job, and how it was traded.

    Parameters
    ----------
    job
        The job.
    stretches
        From where to where it read each partition of a log, which may have grown since.

    """
    origin = job.origin
    if stretches and not isinstance(origin, AsRead | Files):
        origin = AsRead(cast("AnyLog", origin), {n: _as_read(*s) for n, s in stretches.items()})
    return {
        "file": str(job.flow.absolute()),
        "origin": _origin_told(origin),
        "since": job.since,
        "until": job.until,
        "started": job.started,
        "markets": job.markets,
        "traded": job.trading is not None,
    }


def job_of(said: Told, flow: Path, costs: Costs) -> Job:
    """Return a job that reads the tape that `told` named, and trades it on paper.

    Parameters
    ----------
    said
        What `told` returned.
    flow
        The flow file.
    costs
        What orders pay.

    """
    return Job(
        flow=flow,
        origin=_origin_of(said["origin"]),
        since=said["since"],
        until=said["until"],
        markets=tuple(said["markets"]),
        costs=costs,
        started=said["started"],
        trading=Trading() if said["traded"] else None,
    )


def _as_read(first: int, end: int) -> State:
    """Return what a reader has kept that read all between two offsets."""
    return {**start(end, None), "counts": (0, 0, 0, end - first)}


def _origin_told(origin: Origin) -> dict[str, Any]:
    said: dict[str, Any] = {"option": origin.option}
    if isinstance(origin, AsRead):
        return {**said, "log": _origin_told(origin.log), "kept": origin.kept}
    if isinstance(origin, Files):
        paths = [str(path.absolute()) for path in origin.paths]
        return {**said, "paths": paths, "market": origin.market, "columns": origin.columns}
    if isinstance(origin, FromLog):
        return {**said, "directory": str(origin.directory.absolute()) if origin.directory else ""}
    if isinstance(origin, FromHistory):
        return {**said, "log": origin.log}
    return said


def _origin_of(said: Told) -> Origin:
    """Return the origin, as far as it goes now: nothing that grows is waited for."""
    if said["option"] == AsRead.option:
        return AsRead(_log_of(said["log"]), said["kept"])
    if said["option"] == Files.option:
        return Files(tuple(map(Path, said["paths"])), said["market"], said["columns"])
    return _log_of(said)


def _log_of(said: Told) -> AnyLog:
    if said["option"] == FromLog.option:
        return FromLog(Path(said["directory"]) if said["directory"] else None)
    return FromHistory(said["log"]) if said["option"] == FromHistory.option else FromKafka()
