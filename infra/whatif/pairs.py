"""Which positions two runs have in common: those of one decision, on one side of one market."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import fsum
from typing import TypeAlias

from infra.whatif.sides import Held

Key: TypeAlias = tuple[int, str, str, int]


@dataclass(frozen=True)
class Pairs:
    """The positions of two runs.

    Parameters
    ----------
    only_one, only_other
        Those of decisions on which the other entered nothing.
    same
        How many came out the same.
    different
        Those that did not.

    """

    only_one: list[Held]
    only_other: list[Held]
    same: int
    different: list[tuple[Held, Held]]

    @property
    def both(self) -> int:
        """How many decisions both entered on."""
        return self.same + len(self.different)

    @property
    def gap(self) -> float:
        """How much more a position returned in the first than in the second, on average."""
        apart = [one.net_return - other.net_return for one, other in self.different]
        return fsum(apart) / self.both if self.both else 0.0


def pair(one: Iterable[Held], other: Iterable[Held]) -> Pairs:
    """Return which positions of two runs are of the same decisions, in the order of these.

    Examples
    --------
    >>> from decimal import Decimal
    >>> def held(decided, pnl):
    ...     return Held("okx:A", decided, "long", 9, "stop", Decimal(pnl), Decimal(0), 0.0, 0.0)
    >>> found = pair([held(1, 5), held(2, 5)], [held(1, 5), held(2, 7), held(3, 7)])
    >>> found.same, len(found.different), len(found.only_one), len(found.only_other)
    (1, 1, 0, 1)

    """
    ours, theirs = dict(_keyed(one)), dict(_keyed(other))
    both = sorted(ours.keys() & theirs.keys())
    different = [(ours[key], theirs[key]) for key in both if _end(ours[key]) != _end(theirs[key])]
    return Pairs(
        [ours[key] for key in sorted(ours.keys() - theirs.keys())],
        [theirs[key] for key in sorted(theirs.keys() - ours.keys())],
        len(both) - len(different),
        different,
    )


def _keyed(held: Iterable[Held]) -> Iterator[tuple[Key, Held]]:
    seen: Counter[tuple[int, str, str]] = Counter()
    for one in held:
        decision = (one.decided, one.market, one.side)
        yield (*decision, seen[decision]), one
        seen[decision] += 1


def _end(held: Held) -> tuple[object, ...]:
    return held.closed, held.why, held.pnl
