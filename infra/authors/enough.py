"""How much of a tape is played again and again: of a slow flow less, so that it takes seconds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import orjson

from infra.authors.market import Row
from infra.authors.play import Concluded
from schemas import Time

PLAY = 0.3
"""Seconds of a processor that each play may take: there are some twenty."""


def enough(rows: Sequence[Row], concluded: Concluded, seconds: float) -> Sequence[Row]:
    """Return the tape, or so much of it as can be played in `PLAY` seconds.

    It is never less than twice what stands in front of the first event of each kind: what nothing
    follows from shows nothing.

    Parameters
    ----------
    rows
        The tape.
    concluded
        What follows from it.
    seconds
        How long a play of it took.

    """
    if seconds <= PLAY:
        return rows
    needed = bisect_right([row.ts for row in rows], max(_firsts(concluded).values(), default=0))
    return rows[: max(2 * needed, int(len(rows) * PLAY / seconds))]


def _firsts(concluded: Concluded) -> dict[str, Time]:
    """Return when the first event of each kind was concluded."""
    firsts: dict[str, Time] = {}
    for line in (line for lines in concluded.values() for line in lines):
        event = orjson.loads(line)
        firsts[event["type"]] = min(event["ts"], firsts.get(event["type"], event["ts"]))
    return firsts
