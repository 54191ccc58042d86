"""What history keeps of the trades that a stretch read: trade by trade, and by candles."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from infra.history.history import History
from infra.history.keep import kept_days
from infra.running.sources import FromHistory
from infra.settings import Settings
from infra.verify.raw import Odd, Raw, raw
from infra.verify.recut import recut
from infra.verify.stretch import Stretch, numbers
from schemas import DAY, Time

_PATIENCE_SECONDS = 30.0
"""How long history has to take in the last trades."""


class Stored(NamedTuple):
    """What became of what history keeps."""

    trades: int = 0
    """So many are as the log has them."""
    candles: int = 0
    """So many were made again from them, in SQL."""
    odd: Odd | None = None
    """The first trade that differs."""
    candle: dict[str, Any] | None = None
    """The first candle that does."""
    unseen: str = ""
    """What could not be compared, and why."""


def stored(stretch: Stretch, client: Client) -> Stored:
    """Compare the trades that history keeps of a stretch with the log, and its candles with them.

    Parameters
    ----------
    stretch
        What the run read.
    client
        Reads history.

    """
    if isinstance(stretch.origin, FromHistory):
        return _recut(stretch, client, Stored(unseen="trades: the log was history's own"))
    if not stretch.positions:
        return Stored()
    with closing(stretch.origin.log(stretch.settings)) as log:
        found = raw(
            client, log, stretch.positions, stretch.markets,
            _horizon(stretch.settings), _PATIENCE_SECONDS,
        )  # fmt: skip
    if found is None:
        return Stored(unseen="trades and candles: history keeps none of its trades")
    if found.odd is not None:
        return Stored(found.trades, odd=found.odd)
    if why := _lacking(found):
        return Stored(found.trades, unseen=f"{why}, so that no candle was made again")
    return _recut(stretch, client, Stored(found.trades))


def _recut(stretch: Stretch, client: Client, so_far: Stored) -> Stored:
    whose = {"flow": stretch.run.flow, "run": stretch.run.run}
    since, until = numbers(stretch.since), numbers(stretch.until)
    made = recut(client, whose, stretch.positions, since, until)
    return so_far if made is None else so_far._replace(candles=made.candles, candle=made.first)


def _horizon(settings: Settings) -> Time:
    """Return the time from which on history keeps trades."""
    with closing(History(settings).client("owner")) as client:
        days = kept_days(client).get("trades")
    return time.time_ns() - days * DAY if days else 0


def _lacking(found: Raw) -> str:
    """Say which trades could not be compared."""
    told = []
    if found.missing:
        told.append(f"the last {found.missing:,} trades: history has not got them yet")
    if found.old:
        told.append(f"{found.old:,} trades: they are older than history keeps any")
    return "; ".join(told)
