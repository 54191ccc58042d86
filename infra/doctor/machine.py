"""Whether this machine can run what it should: versions, files, clock."""

from __future__ import annotations

import json
import platform
import re
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import urllib3
from urllib3.exceptions import HTTPError

from infra.doctor.finding import Finding, bad, measured, ok, warn

LOCK = Path(__file__).parents[2] / "requirements.lock"
_PYTHONS = ((3, 10), (3, 12))
_PIN = re.compile(r"^([\w.-]+)==([^\s;]+)([^\\\n]*)", re.MULTILINE)
_STATEFUL = frozenset({"bytewax", "river", "numpy"})
"""Their versions are part of what snapshots hold."""
_FILES = 1_024
_SHOWN = 3
_TIMES = {"binance": ("https://api.binance.com", "/api/v3/time", ("serverTime",)),
          "okx": ("https://www.okx.com", "/api/v5/public/time", ("data", 0, "ts"))}  # fmt: skip
"""Where exchanges tell their time, and where in the answer it stands, in milliseconds."""
_SECONDS = 2.0


def python() -> Iterator[Finding]:
    """Look at Python's version."""
    here, said = sys.version_info[:2], f"Python {platform.python_version()}"
    if _PYTHONS[0] <= here <= _PYTHONS[1]:
        yield ok("python", said)
    else:
        yield bad("python", said, "install Python 3.10, 3.11 or 3.12: the engine runs on these")


def packages(lock: Path = LOCK) -> Iterator[Finding]:
    """Compare the packages with the lock."""
    if not lock.exists():
        return
    other = {
        name: f"{name} {there} instead of {pinned}"
        for name, pinned, condition in _PIN.findall(lock.read_text("utf-8"))
        if (there := _version(name)) not in (None, pinned) and not condition.strip(" ;")
    }
    if not other:
        yield ok("packages", "as the lock has them")
        return
    said = ", ".join([*other.values()][:_SHOWN]) + (" …" if len(other) > _SHOWN else "")
    remedy = f"pip install --require-hashes -r {lock}"
    stateful = _STATEFUL & other.keys()
    yield bad("packages", said, remedy) if stateful else warn("packages", said, remedy)


def files() -> Iterator[Finding]:
    """Look how many files a process may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= _FILES:
        yield ok("open files", f"{soft:,} a process")
    else:
        yield warn("open files", f"{soft:,} a process", f"ulimit -n {min(hard, _FILES * 4)}")


def clock(urls: Mapping[str, str]) -> Iterator[Finding]:
    """Compare our clock with those of exchanges.

    Parameters
    ----------
    urls
        Where to find exchanges instead of at their own addresses.

    """
    for exchange, (own, path, place) in _TIMES.items():
        check = f"clock, {exchange}"
        began = time.time()
        theirs = _told(urls.get(exchange, own) + path, place)
        if theirs is None:
            yield ok(check, "not compared: it cannot be reached from here")
            continue
        off = theirs - (began + time.time()) / 2
        yield measured(
            check, f"ours is {abs(off):.3f} s {'behind' if off > 0 else 'ahead'}", abs(off),
            (0.25, 1.0), "let the machine set its clock: chronyd or systemd-timesyncd",
        )  # fmt: skip


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _told(url: str, place: tuple[str | int, ...]) -> float | None:
    """Return the time that an exchange tells, in seconds."""
    try:
        answer = urllib3.request("GET", url, timeout=_SECONDS, retries=False)
        found = json.loads(answer.data)
        for step in place:
            found = found[step]
        return float(found) / 1_000
    except (HTTPError, ValueError, KeyError, IndexError, TypeError):
        return None
