"""The book of a capture at any update, rebuilt plainly: what every other way is compared with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import TypeAlias

from tests.standin.capture import Capture

Side: TypeAlias = list[tuple[float, float]]
"""Price and size, best first."""


def book_at(capture: Capture, update_id: int) -> tuple[Side, Side]:
    """Return bids and asks behind the update with the last id `update_id`."""
    return books_at(capture, [update_id])[update_id]


def books_at(capture: Capture, update_ids: Iterable[int]) -> dict[int, tuple[Side, Side]]:
    """Return the books behind some updates, in one pass.

    Raises
    ------
    ValueError
        When the capture has no such update, or one is missing in it.

    """
    wanted = set(update_ids)
    last = capture.snapshot["lastUpdateId"]
    bids = {Decimal(price): Decimal(size) for price, size in capture.snapshot["bids"]}
    asks = {Decimal(price): Decimal(size) for price, size in capture.snapshot["asks"]}
    found = {last: (_sorted(bids, True), _sorted(asks, False))}
    first = True
    for update in (json.loads(line.raw) for line in capture.lines if line.stream == "depth"):
        if update["u"] <= last:
            continue
        follows = update["U"] <= last + 1 if first or "pu" not in update else update["pu"] == last
        if not follows:
            raise ValueError(f"{capture.name}: nothing leads from update {last} to {update['U']}")
        for side, changes in ((bids, update["b"]), (asks, update["a"])):
            for price, size in changes:
                side[Decimal(price)] = Decimal(size)
        last, first = update["u"], False
        if last in wanted:
            found[last] = (_sorted(bids, True), _sorted(asks, False))
    if missing := wanted - set(found):
        raise ValueError(f"{capture.name}: there are no updates that end at {sorted(missing)}")
    return {update_id: found[update_id] for update_id in wanted}


def _sorted(side: dict[Decimal, Decimal], falling: bool) -> Side:
    levels = sorted(side.items(), reverse=falling)
    return [(float(price), float(size)) for price, size in levels if size]
