"""How far backfills have come: kept in history, beside what they fetched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from schemas import Time
from schemas.forms import FORMS

_MARKS = """
SELECT
    toUnixTimestamp64Nano(start), toUnixTimestamp64Nano(begin), toUnixTimestamp64Nano(reached),
    last_id, toUnixTimestamp64Nano(last_ts)
FROM backfills WHERE market = {market:String}
"""


class Mark(NamedTuple):
    """How far a backfill has come: from `start` to right in front of `reached` is done."""

    start: Time
    begin: Time
    """What stands in front of it was not kept by the exchange any more."""
    reached: Time
    last_id: str
    """The last trade that was fetched."""
    last_ts: Time


def resumed(marks: Iterable[Mark], start: Time) -> Mark | None:
    """Return how far those that began at or in front of `start` have come without a hole.

    Examples
    --------
    >>> resumed([Mark(0, 0, 5, "a", 4), Mark(3, 3, 9, "b", 8), Mark(11, 11, 12, "c", 11)], 2)
    Mark(start=3, begin=3, reached=9, last_id='b', last_ts=8)
    >>> resumed([Mark(0, 0, 5, "a", 4)], 5) is None
    True

    """
    found = None
    for mark in sorted(marks):
        if mark.start <= start < mark.reached:
            found, start = mark, mark.reached
    return found


def read_marks(client: Client, market: str) -> list[Mark]:
    """Return those of a market."""
    found = client.query(_MARKS, {"market": market})
    return [Mark(*row) for row in found.result_rows]


def keep_mark(client: Client, market: str, mark: Mark) -> None:
    """Put one into history; it replaces an earlier one with the same start."""
    forms = {"market": FORMS["str"], **dict.fromkeys(Mark._fields, FORMS["Time"])}
    forms["last_id"] = FORMS["str"]
    values = zip((market, *mark), forms.values(), strict=True)
    arrays = [pa.array([value], form.arrow) for value, form in values]
    client.insert_arrow("backfills", pa.Table.from_arrays(arrays, list(forms)))
