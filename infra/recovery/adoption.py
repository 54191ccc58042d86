"""What a changed flow takes over from the one before: its positions, and where it was."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from typing import cast

from infra.recovery import snapshots
from infra.recovery.division import SINK, SOURCE
from infra.recovery.snapshots import Kept, Key
from operators.standing import Standing
from schemas.sealed import opened, sealed

Steps = Mapping[str, str]
"""The shape of each step, as a text, by its name in the store."""
_TRADE, _ENTRY = "('trade',", "('entry',"
_NUMBERS = "conclude.number"


def trade_of(steps: Steps) -> tuple[str, str] | None:
    """Return the name and the shape of the one step that trades.

    Examples
    --------
    >>> trade_of({"f.enter.entry.machine": "('entry', 2)", "f.trade.trade.machine": "('trade', 2)"})
    ('f.trade.trade.machine', "('trade', 2)")

    """
    found = [(name, shape) for name, shape in steps.items() if shape.startswith(_TRADE)]
    return found[0] if len(found) == 1 else None


def unmovable(was: Steps, now: Steps) -> str:
    """Return why positions cannot be taken over; nothing if they can."""
    before, here = trade_of(was), trade_of(now)
    if before is None or here is None:
        return "both the former flow and this one need one step `trade`"
    if before[1] != here[1]:
        return f"positions were kept as {before[1]} and are now {here[1]}"
    return ""


def adopted(flow: str, kept: Kept, was: Steps, now: Steps) -> dict[Key, bytes]:
    """Return what goes along to a changed flow: its place on the tape, its positions, its numbers.

    All else begins anew. What other steps have told `trade` is forgotten with them.
    """
    before, here = trade_of(was), trade_of(now)
    assert before is not None  # noqa: S101 - whoever calls has asked `unmovable`
    assert here is not None  # noqa: S101 - as above
    whole = {f"{flow}.{name}" for name in (SOURCE, SINK, _NUMBERS)}
    whole |= {
        name for name, shape in now.items() if shape.startswith(_ENTRY) and was.get(name) == shape
    }
    result = {key: state for key, state in kept.items() if key.step in whole}
    for key, shape, standing in _standings(kept, before[0]):
        standing.values = {}
        state = sealed(pickle.dumps((shape, standing)))
        result[Key(here[0], key.name)] = pickle.dumps(state)
    return result


def held(kept: Kept, steps: Steps) -> list[str]:
    """Return the markets in which a flow has a position, or is about to.

    Raises
    ------
    Exception
        When another version of ours has kept it in another form.

    """
    trade = trade_of(steps)
    found = _standings(kept, trade[0]) if trade else ()
    return sorted(key.name for key, _, standing in found if standing.life is not None)


def _standings(kept: Kept, step: str) -> Iterator[tuple[Key, object, Standing]]:
    for key, state in kept.items():
        if key.step == step:
            content = opened(cast("bytes", snapshots.plain(state)))
            shape, standing = pickle.loads(content)  # noqa: S301 - our own store
            yield key, shape, standing
