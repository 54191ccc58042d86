"""Runs laid side by side, on the screen, in a picture and as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import orjson
from clickhouse_connect.driver.client import Client

from infra import screen
from infra.importing import undisturbed
from infra.verify.which import Run
from infra.whatif import beside
from infra.whatif.parents import TRADED
from infra.whatif.sides import Side, end_of, side
from schemas import Time

SENT = ("sandbox", "live")
"""The modes of runs whose orders went out."""
_AS_RUN = """
SELECT run, flow, mode, source, code_version, toUnixTimestamp64Nano(started) FROM runs FINAL
WHERE flow = {flow:String} AND mode = 'fork'
    AND JSONExtractString(settings, 'parent') = {run:String}
    AND JSONExtractRaw(settings, 'set') = '{}'
ORDER BY started DESC LIMIT 1
"""


def sides_of(runs: Sequence[Run], client: Client, labels: Sequence[str] = ()) -> list[Side]:
    """Return runs as they are laid beside each other.

    Those that go on with their market are told as far as all have come.

    Parameters
    ----------
    runs
        Which ones.
    client
        Reads history.
    labels
        What they are; else their modes, if these differ.

    """
    modes = [run.mode for run in runs]
    labels = labels or (modes if len({*modes}) == len(modes) else ("one", "other", "third"))
    until = _common(runs, client) if any(run.mode in TRADED for run in runs) else None
    return [side(run, client, label, until) for run, label in zip(runs, labels, strict=False)]


def _common(runs: Sequence[Run], client: Client) -> Time | None:
    """Return up to when all runs have come; None if they do not tell."""
    ends = [end_of(run, client) for run in runs]
    return min([end for end in ends if end is not None], default=None) if all(ends) else None


def as_run(run: Run, client: Client) -> Run | None:
    """Return the fork of a run in which nothing was set, if there is one."""
    rows = client.query(_AS_RUN, {"flow": run.flow, "run": run.run}).result_rows
    return Run(*rows[0]) if rows else None


def show(sides: Sequence[Side], picture: Path | None, json: BinaryIO | None) -> None:
    """Show runs side by side, and draw what they made if a picture is wanted."""
    if json is not None:
        json.write(orjson.dumps(beside.plain(sides)) + b"\n")
    else:
        for table in beside.tables(sides):
            screen.out.print(table)
        for line in beside.lines(sides):
            screen.out.print(line, highlight=False, soft_wrap=True)
    if picture is not None:
        _draw(sides, picture)


def _draw(sides: Sequence[Side], picture: Path) -> None:
    with undisturbed():
        from infra.pictures import beside as pictures  # noqa: PLC0415 - a second, for a picture only
        from infra.pictures.style import save  # noqa: PLC0415 - likewise
    made = {
        f"{side.label} {side.run.run[:8]}": (
            [one.closed for one in side.held],
            [float(total) for total in side.equity],
        )
        for side in sides
    }
    save(pictures.beside(f"{sides[0].run.flow}: what the runs made", made), picture)
