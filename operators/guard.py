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
        text = f"{type(error).__name__}: {error}"
        frames = traceback.extract_tb(error.__traceback__)[1:][-_FRAMES:]
        story = "; ".join(f"{PurePath(f.filename).name}:{f.lineno} in {f.name}" for f in frames)
        return Fault(market, ts, where, _steady(text), story)


def _steady(text: str) -> str:
    """Leave out addresses of objects: they differ from run to run."""
    return re.sub(r"0x[0-9a-fA-F]+", "0x...", text)[:500]
