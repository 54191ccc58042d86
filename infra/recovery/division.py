"""Divide a recovery store anew: what several processes kept, for another number of them."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, cast

from infra.recovery import snapshots
from infra.recovery.snapshots import Kept, Key
from schemas.sealed import SUM, opened, sealed, sum_of

SOURCE, SINK = "replay", "outlets"
"""What the first and the last step are called in the engine, behind the flow's name."""
_State: TypeAlias = "Mapping[str, object] | None"


_Places: TypeAlias = "dict[str, list[str]]"
"""A source's state, of which we only know that it has `markets`."""


class Divisible(Protocol):
    """What is asked of a source that is open as a whole."""

    def owner(self, part: str, market: str, processes: int) -> int:
        """Return which of so many processes has a market of a part."""
        ...

    def divided(
        self, part: str, states: Sequence[_Places], processes: int
    ) -> Mapping[int, Mapping[str, object]]:
        """Return what each of so many processes goes on from, in place of those that were."""
        ...


@dataclass
class Part:
    """What one process goes on from."""

    kept: dict[Key, bytes] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    """Of the source, those that it has read."""
    markets: set[str] = field(default_factory=set)


def divide(flow: str, kept: Sequence[Kept], processes: int, source: Divisible) -> list[Part]:
    """Return what each of so many processes goes on from.

    Parameters
    ----------
    flow
        The name of the flow.
    kept
        What each of the processes before had.
    processes
        How many there will be.
    source
        All of what they read.

    """
    made = [Part() for _ in range(processes)]
    step = f"{flow}.{SOURCE}"
    for name, states in _sources(kept, step).items():
        for market in {market for state in states for market in state["markets"]}:
            made[source.owner(name, market, processes)].markets.add(market)
        for k, state in source.divided(name, states, processes).items():
            made[k].parts.append(name)
            made[k].kept[Key(step, name)] = _summed(state)
    owner = {market: part for part in made for market in part.markets}
    for process in kept:
        for key, value in process.items():
            if key.step not in (step, f"{flow}.{SINK}"):
                owner[key.name].kept[key] = value
    _divide_outlets(Key(f"{flow}.{SINK}", SINK), kept, made)
    return made


def _sources(kept: Iterable[Kept], step: str) -> dict[str, list[_Places]]:
    """Return the states of each part of the source."""
    found: dict[str, list[_Places]] = {}
    for states in kept:
        for key, state in states.items():
            if key.step == step:
                found.setdefault(key.name, []).append(cast("_Places", snapshots.plain(state)))
    return found


def _summed(state: Mapping[str, object]) -> bytes:
    return pickle.dumps({**state, SUM: sum_of(state)})


def _divide_outlets(key: Key, kept: Sequence[Kept], made: Sequence[Part]) -> None:
    """Give each process what the outlets know of its markets."""
    lists = [
        cast("list[_State]", pickle.loads(opened(cast("bytes", snapshots.plain(states[key])))))  # noqa: S301 - our own store
        for states in kept
        if key in states
    ]
    if not lists:
        return
    joined = [_joined(states) for states in zip(*lists, strict=True)]
    for part in made:
        own = [state if state is None else _only(state, part.markets) for state in joined]
        part.kept[key] = pickle.dumps(sealed(pickle.dumps(own)))


def _joined(states: Iterable[_State]) -> _State:
    """Return what an outlet of several processes knows; numbers of no market are compared."""
    result: dict[str, object] = {}
    none = True
    for state in states:
        none = none and state is None
        for market, value in (state or {}).items():
            before = result.get(market)
            if isinstance(before, float) and isinstance(value, float):
                value = max(before, value)  # noqa: PLW2901 - the same thing of all processes
            result[market] = value
    return None if none else result


def _only(state: Mapping[str, object], markets: set[str]) -> Mapping[str, object]:
    return {market: value for market, value in state.items() if not market or market in markets}
