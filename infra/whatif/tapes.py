"""Which tape a run read, written down beside it: enough for another run to read the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from infra.running.sources import Files, FromHistory, FromKafka, FromLog, Origin
from infra.running.worker import Job
from infra.trading.trading import Trading
from infra.verify.as_read import AnyLog, AsRead
from operators import Costs

Told: TypeAlias = Mapping[str, Any]
"""Plain values, as JSON has them."""


def told(job: Job) -> dict[str, Any]:
    """Return what names the tape of a job, and how it was traded."""
    return {
        "file": str(job.flow.absolute()),
        "origin": _origin_told(job.origin),
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
