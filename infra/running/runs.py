"""The table of runs: which flow ran when, on what, with which settings, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

import orjson
import pyarrow as pa

from connectors.history.clickhouse import UNREACHABLE, Connect, move, reason, refusal
from connectors.history.journal import Journal, waiting
from connectors.log.log import Bounds
from infra.running.flowfile import Flow
from infra.running.worker import Job
from infra.whatif.tapes import told

_TIME = pa.timestamp("ns", "UTC")
_COLUMNS = pa.schema(
    {
        **dict.fromkeys(
            ("run", "flow", "code_version", "settings", "source", "mode", "status", "summary"),
            pa.string(),
        ),
        "started": _TIME,
        "finished": _TIME,
        "version": pa.uint64(),
    }
)


class Notes:
    """What is told of a run: through a journal, so that it gets there once history is reached.

    Parameters
    ----------
    job, flow
        The run.
    connect
        Returns a client that may write.

    """

    def __init__(self, job: Job, flow: Flow, connect: Connect) -> None:
        self.job, self.flow, self.connect = job, flow, connect
        # A fork counts its tape from when the run first began that it follows.
        self.started = time.time_ns() if job.fork is not None else job.started
        self.journal = Journal(job.scratch / "journal")
        self.stretches: Mapping[str, Bounds] = {}

    def begin(self) -> str | None:
        """Note that it begins, or goes on; return why that is not in history yet, if it is not."""
        return self._note("running", None, {})

    def end(
        self,
        status: str,
        summary: Mapping[str, object],
        stretches: Mapping[str, Bounds] = MappingProxyType({}),
    ) -> str | None:
        """Note how it ended, and what it read of a log; return what `begin` does.

        Parameters
        ----------
        status
            It is `finished`, `stopped` or `failed`.
        summary
            What came of it.
        stretches
            From where to where it read each partition.

        """
        self.stretches = stretches
        return self._note(status, time.time_ns(), summary)

    def _note(self, status: str, finished: int | None, summary: Mapping[str, object]) -> str | None:
        job = self.job
        settings = {
            "costs": asdict(job.costs), "batch": job.batch, "processes": job.processes,
            **{name.removeprefix("--"): value for name, value in job.options().items()},
            "values": self.flow.settings, "tape": told(job, self.stretches),
        }  # fmt: skip
        if job.fork is not None:
            settings |= {
                "parent": job.fork.parent, "set": dict(job.fork.changes), "at": job.fork.at,
                "was": dict(job.fork.was),
            }  # fmt: skip
        row: dict[str, Any] = {
            "run": job.run, "flow": self.flow.name, "code_version": self.flow.code_version,
            "settings": orjson.dumps(settings).decode(), "source": job.origin.name(job.settings),
            "mode": job.mode, "status": status, "summary": orjson.dumps(summary).decode(),
            "started": self.started, "finished": finished, "version": time.time_ns(),
        }  # fmt: skip
        self.journal.append("runs", pa.RecordBatch.from_pylist([row], _COLUMNS))
        return self._move()

    def _move(self) -> str | None:
        try:
            entries = list(waiting(self.journal.directory))
            refused = {e.path.name: why for e, why in move(self.connect(), entries) if why}
        except UNREACHABLE as error:
            return reason(error)
        return refusal(refused)
