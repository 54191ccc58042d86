"""How far a run has come in its log, by the snapshots in its recovery store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from connectors.log.offsets import State
from infra.recovery import snapshots
from infra.recovery.division import SOURCE
from infra.recovery.layout import SNAPSHOTS


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
    DamagedError
        When it is damaged.

    """
    found: dict[str, State] = {}
    for number in range(processes):
        for key, state in snapshots.read(store / str(number) / SNAPSHOTS).items():
            if key.step == f"{flow}.{SOURCE}":
                found[key.name] = cast("State", snapshots.plain(state))
    return found
