"""What of ours takes room on the disk, and how fast that grows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from connectors.log.file import FILE
from connectors.log.sqlite_log import SqliteLog
from infra.below import below
from infra.disk.forecast import Part
from infra.history.history import History
from infra.history.keep import LARGE, kept_days
from infra.log import limits as log_limits
from infra.log.log import MarketLog, OrderQueue
from infra.settings import Settings
from schemas import DAY, SECOND

_WINDOW = 86_400.0
_SHORT = 600.0
"""Seconds of a past that are too few to say how a day will be."""
_KEEP_LOG = "deck log start --days N --gigabytes N"
_KEEP_HISTORY = "deck history keep --days N --tables"
_TABLES = """
    SELECT table, sum(bytes_on_disk), sum(rows) FROM system.parts
    WHERE database = currentDatabase() AND active GROUP BY table ORDER BY table
"""
_LATE = """
    SELECT countIf(ts > now64(9) - INTERVAL 1 DAY AND ts <= now64(9)), count(),
        dateDiff('second', minIf(ts, ts > now64(9) - INTERVAL 1 DAY), now64(9))
    FROM {table:Identifier}
"""


def parts(settings: Settings) -> list[Part]:
    """Return all that is kept in a home, and history by table if it runs here."""
    home = settings.home
    found = [_log(kind(settings)) for kind in (MarketLog, OrderQueue)]
    found += _history(settings)
    found += [
        _directory("stores", [home / "trading", *home.glob("deployments/*/store")]),
        _directory("checkpoints", [*home.glob("*/*/checkpoints")]),
        _directory("outboxes", [home / "executor"]),
        _directory("rows that wait", [home / "runs", home / "ingest"]),
        _directory("flows' logs", home.glob("deployments/*/logs")),
    ]
    archive = log_limits.load(MarketLog(settings).directory).archive
    if archive and Path(archive).exists():
        recording = Path(archive)
        found.append(_directory(f"recording in {recording}", [recording], recorded=True))
    return [part for part in found if part.bytes]


def _log(log: MarketLog) -> Part:
    """Look at an embedded log: what it was told to keep, and what came in the last day."""
    size = sum(path.stat().st_size for path in log.directory.glob(f"{FILE}*"))
    name = "market log" if log.name == "log" else "order queue"
    if not (log.directory / FILE).exists():
        return Part(name, 0)
    daily = None
    with closing(log.log()) as reader:
        daily = _daily(reader, size)
    keep = log_limits.load(log.directory)
    limits = [keep.gigabytes * 1e9] if keep.gigabytes else []
    if keep.days and daily is not None:
        limits.append(keep.days * daily)
    return Part(name, size, daily, min(limits, default=None), _KEEP_LOG)


def _daily(log: SqliteLog, size: int) -> float | None:
    """Return how many bytes came in the last day."""
    oldest, now = log.oldest(), time.time_ns()
    if oldest is None:
        return None
    seconds = min((now - oldest) / SECOND, _WINDOW)
    bounds = {name: log.bounds(name) for name in log.partitions()}
    count = sum(end - first for first, end in bounds.values())
    if seconds < _SHORT or not count:
        return None
    ends = [
        (end, max(log.offset_at(name, now - DAY), first)) for name, (first, end) in bounds.items()
    ]
    late = sum(end - since for end, since in ends)
    return size * late / count * _WINDOW / seconds


def _history(settings: Settings) -> Iterator[Part]:
    """Look at history by table; a server elsewhere has its own disk."""
    history = History(settings)
    if settings.clickhouse_url or not history.home.path.exists():
        return
    size = history.home.size()
    if history.home.running() is None:
        yield Part("history (down)", size, None, None, "deck history start, to see more")
        return
    with closing(history.client("owner")) as client:
        days = kept_days(client)
        tables = client.query(_TABLES).result_rows
        for table, taken, rows in tables:
            daily = _table_daily(client, table, taken) if rows else None
            most = days[table] * daily if table in days and daily is not None else None
            remedy = f"{_KEEP_HISTORY} {table}" if table in LARGE else ""
            yield Part(f"history: {table}", taken, daily, most, remedy)
    yield Part("history: its own", max(size - sum(taken for _, taken, _ in tables), 0))


def _table_daily(client: Client, table: str, taken: int) -> float | None:
    """Return how many bytes a day a table gets, by the rows stamped in the last day."""
    with suppress(DatabaseError):  # not each of them has stamps
        asked = client.query(_LATE, {"table": table}, settings={"final": 0}).result_rows
        [(late, count, seconds)] = asked
        if not late:
            return 0.0
        if seconds >= _SHORT:
            return float(taken * late / count * _WINDOW / min(seconds, _WINDOW))
    return None


def _directory(name: str, places: Iterator[Path] | list[Path], recorded: bool = False) -> Part:
    """Look at files; of a recording, what was written in the last day comes again."""
    size = late = 0
    since = time.time() - _WINDOW
    for place in places:
        for path in below(place):
            with suppress(FileNotFoundError):
                found = path.lstat()
                size += found.st_size
                late += found.st_size if found.st_mtime > since else 0
    return Part(name, size, float(late) if recorded else None)
