"""Whether there is room on the disk: now, and if it all grows on as it does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from connectors.history.clickhouse import UNREACHABLE
from connectors.log.log import LogError
from infra.disk.forecast import days_until_full
from infra.disk.parts import parts
from infra.doctor.finding import Finding, measured, ok
from infra.history.home import HistoryError
from infra.settings import Settings

_KEEP_LESS = "free some space, or keep less: deck disk says what of"
_LEAST = 10**9
_SOON_DAYS, _TOO_SOON_DAYS = 14.0, 2.0


def room(home: Path) -> Iterator[Finding]:
    """Look how full the disk is."""
    there = next(path for path in (home, *home.parents) if path.exists())
    found = shutil.disk_usage(there)
    yield measured(
        "disk", f"{found.free / 1e9:,.1f} GB of {found.total / 1e9:,.0f} free at {there}",
        1.0 if found.free < _LEAST else 1 - found.free / found.total, (0.9, 0.97), _KEEP_LESS,
    )  # fmt: skip


def forecast(settings: Settings) -> Iterator[Finding]:
    """Look when the disk will be full; what cannot be asked now is told elsewhere."""
    if not settings.home.exists():
        return
    try:
        growing = parts(settings)
    except (HistoryError, LogError, *UNREACHABLE):
        return
    days = days_until_full(growing, shutil.disk_usage(settings.home).free)
    if days is None:
        yield ok("disk, forecast", "what is kept does not grow without end")
    else:
        yield measured(
            "disk, forecast", f"full in {days:,.0f} days, as it goes", -days,
            (-_SOON_DAYS, -_TOO_SOON_DAYS), _KEEP_LESS,
        )  # fmt: skip
