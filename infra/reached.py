"""How far a run has come in its log, by the snapshots in its recovery store."""

from __future__ import annotations

import io
import pickle
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from typing_extensions import override

from connectors.offsets import State
from infra.problems import AFRESH
from infra.store import SNAPSHOTS, StoreError

# The engine goes on from the frontier of its last execution: what is newer was not finished.
_RESUMED = (
    "SELECT coalesce((SELECT min(worker_frontier) FROM fronts WHERE fronts.ex_num = exs.ex_num), "
    "resume_epoch) FROM exs ORDER BY ex_num DESC LIMIT 1"
)
_KEPT = (
    "SELECT state_key, ser_change, max(snap_epoch) FROM snaps "
    "WHERE step_id = ? AND snap_epoch < ? GROUP BY state_key"
)


class _Plain(pickle.Unpickler):
    """Reads plain values only: what is in a store could be anybody's code."""

    @override
    def find_class(self, module_name: str, global_name: str) -> object:
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is no plain value")


def reached(store: Path, flow: str, processes: int) -> Mapping[str, State]:
    """Return where each partition of the log was at the last snapshot.

    Parameters
    ----------
    store
        The recovery store; a run may be using it.
    flow
        The name of the flow.
    processes
        How many the store is made for.

    Raises
    ------
    StoreError
        When it is damaged.

    """
    found: dict[str, State] = {}
    for number in range(processes):
        file = store / str(number) / SNAPSHOTS / "part-0.sqlite3"
        try:
            found.update(_kept(file, f"{flow}.replay"))
        except (sqlite3.Error, pickle.UnpicklingError, EOFError) as error:
            raise StoreError(
                f"{file} cannot be read ({error}): put back the whole directory, or {AFRESH}"
            ) from error
    return found


def _kept(file: Path, step: str) -> Mapping[str, State]:
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as snapshots:
        [resumed] = snapshots.execute(_RESUMED).fetchone() or [0]
        rows = snapshots.execute(_KEPT, (step, resumed)).fetchall()
    return {part: _Plain(io.BytesIO(state)).load() for part, state, _ in rows}
