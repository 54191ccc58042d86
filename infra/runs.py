"""The table of runs: which flow ran when, on what, with which settings."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import datetime, timezone

import orjson

from infra.flowfile import Flow
from infra.history import History
from infra.worker import Job

_COLUMNS = (
    "run", "flow", "code_version", "settings", "source", "mode", "status", "started", "finished",
    "version",
)  # fmt: skip


def begin(job: Job, flow: Flow) -> None:
    """Note that a run begins, or goes on."""
    _note(job, flow, "running", None)


def end(job: Job, flow: Flow, status: str) -> None:
    """Note how a run ended: `finished` or `stopped`."""
    _note(job, flow, status, datetime.now(timezone.utc))


def _note(job: Job, flow: Flow, status: str, finished: datetime | None) -> None:
    client = History(job.settings).client("writer")
    # A run that goes on after a crash began when it first began.
    known = client.query(
        "SELECT started FROM runs WHERE flow = {flow:String} AND run = {run:String}",
        {"flow": flow.name, "run": job.run},
    ).result_rows
    started = known[0][0] if known else datetime.now(timezone.utc)
    settings = {
        "costs": asdict(job.costs), "batch": job.batch, "processes": job.processes,
        "market": job.market, "columns": job.columns,
    }  # fmt: skip
    row = (
        job.run, flow.name, flow.code_version, orjson.dumps(settings).decode(),
        ", ".join(map(str, job.data)), "replay", status, started, finished, time.time_ns(),
    )  # fmt: skip
    client.insert("runs", [row], column_names=_COLUMNS)
