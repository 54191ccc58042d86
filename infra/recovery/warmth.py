"""What a flow that read some of the past first knows of it, and what it would need more for."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

_ENDLESS = ("ema", "wilder", "volatility")
"""Averages in which each candle leaves a trace for ever."""
_WINDOW = re.compile(r"([a-z_]+)(\d+)")


def said(steps: Mapping[str, str]) -> str:
    """Return in a sentence what forgets its past, and what does not.

    Parameters
    ----------
    steps
        The shape of each step of a flow, by its name.

    Examples
    --------
    >>> said({
    ...     "f.candles.candles.machine": "('candles', 1, '1m')",
    ...     "f.averages.averages.machine": "('averages', 2, ('sma20', 'ema9'), None)",
    ... })
    'sma20 is exact after 20 candles; ema9 remembers all it has read: started earlier it differs'

    """
    windows, endless = list[str](), list[str]()
    longest = 0
    for step, text in steps.items():
        shape = ast.literal_eval(text)
        if shape[0] == "averages":
            for name in shape[2]:
                found = _WINDOW.fullmatch(name)
                if found is None or found[1] in _ENDLESS:
                    endless.append(name)
                else:
                    windows.append(name)
                    longest = max(longest, int(found[2]))
        elif shape[0] == "predict":
            endless.append(f"the model of {step.split('.')[1]}")
    parts = [f"{_are(windows, 'is', 'are')} exact after {longest} candles"] if windows else []
    if endless:
        whole = _are(endless, "remembers all it has read", "remember all they have read")
        parts.append(f"{whole}: started earlier {_differ(endless)}")
    return "; ".join(parts)


def _differ(names: list[str]) -> str:
    return "it differs" if len(names) == 1 else "they differ"


def _are(names: list[str], one: str, many: str) -> str:
    return f"{', '.join(names)} {one if len(names) == 1 else many}"
