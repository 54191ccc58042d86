"""Times as people write them on a command line."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from schemas import DAY, MINUTE, SECOND, Time

_UNITS = {"s": SECOND, "m": MINUTE, "h": 60 * MINUTE, "d": DAY, "w": 7 * DAY}
_AGO = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])", re.ASCII)
_FRACTION = re.compile(r"\.\d+", re.ASCII)
_LAST_YEAR = 2262
"""Nanoseconds in 64 bits end in it."""

HELP = "a date or time such as 2026-11-01 or 2026-11-01T12:30 (UTC if no zone), or 2h, 3d ago"


class TimeError(ValueError):
    """A time that cannot be read; its text shows it, and how to write one."""


def parse_time(text: str, now: Time) -> Time:
    """Return the time that a text names.

    Parameters
    ----------
    text
        A date, or a date and a time, as ISO 8601 writes them, UTC if it names no zone; or how long
        ago: a number and one of s, m, h, d, w.
    now
        What ago is counted from.

    Raises
    ------
    TimeError
        When it is neither.

    Examples
    --------
    >>> parse_time("1970-01-02", now=0) == DAY
    True
    >>> parse_time("1970-01-01T01:00+01:00", now=0), parse_time("90m", now=2 * 3600 * SECOND)
    (0, 1800000000000)
    >>> parse_time("yesterday", now=0)
    Traceback (most recent call last):
    infra.times.TimeError: time 'yesterday': write a date or time such as 2026-11-01 or ...

    """
    if ago := _AGO.fullmatch(text):
        return now - int(float(ago[1]) * _UNITS[ago[2]])
    try:
        moment = datetime.fromisoformat(_for_python_3_10(text))
    except ValueError:
        moment = None
    if moment is None or not 1970 <= moment.year < _LAST_YEAR:  # noqa: PLR2004 - the epoch
        raise TimeError(f"time {text!r}: write {HELP}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    since = moment - datetime.fromtimestamp(0, timezone.utc)
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1_000


def _for_python_3_10(text: str) -> str:
    """Return a time of ISO 8601 as that reads it: without a Z, and with six digits or none."""
    return _FRACTION.sub(lambda digits: f"{digits[0]:0<7.7}", text.replace("Z", "+00:00"))


def write_time(time: Time) -> str:
    """Return a time for people, to the second.

    Examples
    --------
    >>> write_time(DAY + 90 * MINUTE)
    '1970-01-02 01:30:00'

    """
    return f"{datetime.fromtimestamp(time // SECOND, timezone.utc):%Y-%m-%d %H:%M:%S}"
