"""The candles of a market with its positions, as the script of a report reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from infra.pictures.bars import Bars
from infra.stories.report.figures import Rows
from schemas import SECOND, Time
from schemas.trades import Float64, Int64

Chart: TypeAlias = dict[str, Any]
"""What the script of the page reads."""

_DIGITS = 7


def candles(name: str, drawn: Bars, positions: Rows) -> Chart:
    """Return what is drawn of a market.

    Parameters
    ----------
    name
        What the chart is called.
    drawn
        Its bars.
    positions
        The positions that are marked.

    """
    places = _places(drawn.close)
    prices = {
        letter: _rounded(column, places)
        for letter, column in zip(
            "ohlc", (drawn.open, drawn.high, drawn.low, drawn.close), strict=True
        )
    }
    return {
        "market": name,
        "each": drawn.each,
        "places": places,
        "time": seconds(drawn.start),
        **prices,
        "averages": {name: _rounded(values, places + 1) for name, values in drawn.averages.items()},
        "marks": [mark for row in positions for mark in _marks(row, drawn)],
    }


def _marks(row: Mapping[str, Any], drawn: Bars) -> list[Chart]:
    """Return the marks of a position: the bars that it was entered and left in."""
    long = row["side"] == "long"
    ends = [(row["opened"], row["side"], long)]
    if row["closed"] is not None:
        ends.append((row["closed"], row["why"], not long))
    return [
        {"bar": _bar(drawn.start, ts), "says": says, "bought": bought, "position": row["position"]}
        for ts, says, bought in ends
        if len(drawn)
    ]


def _bar(starts: Int64, ts: Time) -> int:
    return max(int(np.searchsorted(starts, ts, "right")) - 1, 0)


def seconds(times: Int64) -> list[int]:
    """Return times in whole seconds, each later than the one before, as the chart wants them.

    Examples
    --------
    >>> seconds(np.array([10, 11, 11, 40]) * SECOND)
    [10, 11, 12, 40]

    """
    if not len(times):
        return []
    counts = np.arange(len(times))
    seconds: list[int] = (np.maximum.accumulate(times // SECOND - counts) + counts).tolist()
    return seconds


def _places(prices: Float64) -> int:
    """Return how many decimal places show seven digits of prices."""
    top = float(prices.max()) if len(prices) else 1.0
    return min(max(_DIGITS - len(str(int(top))), 0), 12) if top >= 1 else 10


def _rounded(values: Float64, places: int) -> Sequence[float | None]:
    rounded = np.round(values, places).tolist()
    return [None if value != value else value for value in rounded]  # noqa: PLR0124 - NaN is not itself
