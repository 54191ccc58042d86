"""How much of a tape a look at a flow plays again and again."""

from __future__ import annotations

import orjson

from infra.authors.enough import PLAY, enough
from infra.authors.market import Row
from schemas import SECOND, Heartbeat

ROWS = [Row("A", n * SECOND, Heartbeat("A", n * SECOND), 0) for n in range(1_000)]


def concluded(**firsts: int) -> dict[str, list[bytes]]:
    """Return an event of each kind at its second, and one of each at the end."""
    at = [(kind, second) for kind, first in firsts.items() for second in (first, 999)]
    return {"A": [orjson.dumps({"type": kind, "ts": at * SECOND}) for kind, at in at]}


def test_a_tape_that_is_played_in_no_time_is_played_whole() -> None:
    assert enough(ROWS, concluded(Candle=1), PLAY) is ROWS


def test_of_a_slow_flow_there_is_as_much_as_can_be_played() -> None:
    assert enough(ROWS, concluded(Candle=1), 4 * PLAY) == ROWS[:250]


def test_each_kind_of_event_is_in_it_however_slow_the_flow() -> None:
    assert enough(ROWS, concluded(Candle=1, Closed=299), 100 * PLAY) == ROWS[:600]
    assert enough(ROWS, concluded(Candle=1, Closed=900), 100 * PLAY) == ROWS
