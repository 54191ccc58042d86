"""The guard before what the user wrote: its errors become faults on the tape, never a crash."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import TypeVar

from schemas import Fault, Time

T = TypeVar("T")
_FRAMES = 3
_LENGTH = 500
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_FOLDERS = re.compile(
    r"(?<![\w./])(?:file://|[A-Za-z]:)?[\\/](?:[^\\/\s'\"]+[\\/])*(?=[^\\/\s'\"])"
)
"""In front of a file's name, from the root on; `BTC/USDT` and `https://` have none."""


def guarded(market: str, ts: Time, where: str, call: Callable[[], T]) -> T | Fault:
    """Return what `call` returns, or the `Fault` it makes.

    Examples
    --------
    >>> fault = guarded("binance:BTC/USDT", 7, "rule", lambda: 1 / 0)
    >>> fault.error
    'ZeroDivisionError: division by zero'

    """
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises is the user's
        return fault(market, ts, where, error)


def fault(market: str, ts: Time, where: str, error: Exception) -> Fault:
    """Return the fault that an error of the user's code makes, the same in each run."""
    frames = traceback.extract_tb(error.__traceback__)[1:][-_FRAMES:]
    story = "; ".join(f"{PurePath(f.filename).name}:{f.lineno} in {f.name}" for f in frames)
    return Fault(market, ts, where, _steady(_told(error)), story)


def _told(error: Exception) -> str:
    name = type(error).__name__
    try:
        return f"{name}: {error}"
    except Exception:  # noqa: BLE001 - its text, too, is the user's code
        return name


def _steady(text: str) -> str:
    """Leave out addresses of objects and folders: they differ from run to run."""
    return _FOLDERS.sub("", _ADDRESS.sub("0x...", text))[:_LENGTH]
