"""How long history keeps what came from exchanges; what runs concluded stays for ever."""

from __future__ import annotations

import re
from collections.abc import Iterable

from clickhouse_connect.driver.client import Client

from infra.history.home import HistoryError

LARGE = ("trades", "books", "heartbeats", "values")
"""What may go: it was taken in, is much, and has a place in recordings."""

_ENDS = "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()"
_DAYS = re.compile(r"TTL .*toIntervalDay\((\d+)\)")


def keep(client: Client, days: int, tables: Iterable[str]) -> None:
    """Let rows of some tables go when they are older than so many days; 0 is never.

    Parameters
    ----------
    client
        The owner's.
    days
        By the events' own stamps.
    tables
        Which of `LARGE`.

    Raises
    ------
    HistoryError
        When a table is another one.

    """
    names = list(tables)
    if other := sorted({*names} - {*LARGE}):
        raise HistoryError(
            f"{', '.join(other)} is kept for ever: of {', '.join(LARGE)} rows may go"
        )
    ends = kept_days(client)
    for name in names:
        if days:
            client.command(
                f"ALTER TABLE `{name}` MODIFY TTL toDateTime(ts) + INTERVAL {days:d} DAY"
            )
        elif name in ends:
            client.command(f"ALTER TABLE `{name}` REMOVE TTL")


def kept_days(client: Client) -> dict[str, int]:
    """Return how many days the tables keep their rows that do not keep them for ever."""
    rows = client.query(_ENDS).result_rows
    found = ((name, _DAYS.search(engine)) for name, engine in rows)
    return {name: int(days[1]) for name, days in found if days}
