"""Whether the events of a replayed stretch are those that history keeps, field by field."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

from infra.verify.parity import Kept, Told, text_of, told
from schemas import Event

_ROWS = 20_000
"""Compared at once."""
_NEAR = 2
"""How many neighbours are shown behind."""
_KEY = ("market", "seq")


class Differing(NamedTuple):
    """The first event of a market that differs, with its neighbours."""

    market: str
    seq: int
    ours: Told | None
    """As it was replayed."""
    theirs: Told | None
    """As history keeps it."""
    before: Told | None
    """The last one in front of it, the same in both."""
    behind: tuple[list[Told], list[Told]] = ([], [])
    """The next ones: replayed, and kept."""

    @property
    def ts(self) -> int:
        """The tape's time at it."""
        return int((self.ours or self.theirs or {})["ts"])

    @property
    def fields(self) -> dict[str, tuple[object, object]]:
        """What differs: name, ours, theirs.

        Examples
        --------
        >>> Differing("m", 3, {"seq": 3, "ts": 1, "close": 7.0}, {"seq": 3, "ts": 1}, None).fields
        {'close': (7.0, None)}

        """
        ours, theirs = self.ours or {}, self.theirs or {}
        names = [*ours, *(name for name in theirs if name not in ours)]
        return {
            name: (ours.get(name), theirs.get(name))
            for name in names
            if ours.get(name) != theirs.get(name) or (name in ours) != (name in theirs)
        }

    def said(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return {
            "market": self.market, "seq": self.seq, "ts": self.ts, "replayed": self.ours,
            "history": self.theirs, "before": self.before,
            "behind": {"replayed": self.behind[0], "history": self.behind[1]},
        }  # fmt: skip


class Compared(NamedTuple):
    """What became of a comparison."""

    events: int
    digest: str
    """SHA-256 of their lines of JSON, by market, then seq."""
    markets: int = 0
    """How many markets differ."""
    first: Differing | None = None
    """Of what differs, what has the earliest tape time."""


def compare(
    replayed: Path, kept: Kept | None, since: Mapping[str, int], until: Mapping[str, int]
) -> Compared:
    """Compare the events of a replayed stretch with history's.

    Parameters
    ----------
    replayed
        The file of the events, by market, then seq.
    kept
        What history keeps of the run; None if it keeps nothing of it.
    since, until
        How many events each market had at the beginning of the stretch, and at its end.

    """
    digest, events = hashlib.sha256(), 0
    with replayed.open("rb") as file:
        for text in file:
            digest.update(text)
            events += 1
        if kept is None:
            return Compared(events, digest.hexdigest())
        file.seek(0)
        found = [*_differing(map(told, file), kept, since, until)]
    earliest = min(found, key=lambda one: (one.ts, one.market), default=None)
    return Compared(events, digest.hexdigest(), len(found), earliest)


def _differing(
    replayed: Iterator[Told], kept: Kept, since: Mapping[str, int], until: Mapping[str, int]
) -> Iterator[Differing]:
    """Yield the first event of each market that differs."""
    kinds, silent = [*kept.kinds()], {*until}
    for market, own in groupby(replayed, lambda one: str(one["market"])):
        silent.discard(market)
        bounds = since.get(market, 0), until.get(market, 0)
        yield from _first(own, kept, market, kinds, bounds)
    for market in sorted(silent):
        bounds = since.get(market, 0), until[market]
        yield from _first(iter(()), kept, market, kinds, bounds)


def _first(
    replayed: Iterator[Told], kept: Kept, market: str, kinds: list[type[Event]],
    bounds: tuple[int, int],
) -> Iterator[Differing]:  # fmt: skip
    """Yield the first event of a market that differs, if one does."""
    before: Told | None = None
    follows, end = bounds
    while page := list(islice(replayed, _ROWS)):
        there = kept.between(market, page[0]["seq"], page[-1]["seq"], kinds)
        for number, ours in enumerate(page):
            follows = ours["seq"] + 1
            if (theirs := there.get(ours["seq"])) != ours:
                behind = kept.between(market, follows, ours["seq"] + _NEAR, kinds)
                near = page[number + 1 : number + 1 + _NEAR], [*behind.values()]
                yield Differing(market, ours["seq"], ours, theirs, before, near)
                return
            before = ours
    more = kept.between(market, follows, end - 1, kinds) if follows < end else {}
    if more:
        yield Differing(market, min(more), None, more[min(more)], before)


def lines(found: Differing) -> Iterator[str]:
    """Yield what there is to see of a difference."""
    yield f"{'the same still':>14}: {_text(found.before)}"
    yield f"{'replayed':>14}: {_text(found.ours)}"
    yield f"{'in history':>14}: {_text(found.theirs)}"
    for name, (ours, theirs) in found.fields.items():
        if name not in _KEY and found.ours and found.theirs:
            yield f"{name:>14}: replayed {_one(ours)}, in history {_one(theirs)}"
    for what, near in zip(("next, replayed", "next, kept"), found.behind, strict=True):
        for one in near:
            yield f"{what:>14}: {_text(one)}"


def _text(one: Told | None) -> str:
    return "nothing" if one is None else text_of(one)


def _one(value: object) -> str:
    return text_of({"": value})[4:-1]
