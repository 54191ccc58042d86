"""Where a group of files is being played: what a recovery store keeps of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypedDict

VERSION = 2


class State(TypedDict):
    """The exact position of a partition. It is kept in recovery stores: plain values only."""

    version: int
    block: int
    """Rows read at once."""
    files: list[tuple[str, str]]
    """Name and fingerprint of each file played; the last is the one being played."""
    first: int
    """Where in it the current block begins."""
    done: dict[str, int]
    """For each market, how many of its trades and other events from there on were handed out."""
    handed: dict[str, int]
    """For each market, how many of the file's stand in front of the block."""
    ahead: dict[str, tuple[int, int]]
    """Markets that are further: in which file, and how many of its were handed out."""
    texts: list[str]
    """Markets that had ids which are texts, in front of the block."""
    counts: tuple[int, int, int, int]
    markets: list[str]
    """All that were handed out."""
    sum: str
    """The seal of the rest."""


def begin(block: int) -> State:
    """Return the state of a group that nobody has played yet."""
    return State(
        version=VERSION, block=block, files=[], first=0, done={}, handed={}, ahead={}, texts=[],
        counts=(0, 0, 0, 0), markets=[], sum="",
    )  # fmt: skip


def file_of(state: State) -> int:
    """Return which of the files is being played."""
    return max(len(state["files"]) - 1, 0)


def joined(states: Sequence[State]) -> State:
    """Return one state for what several processes have played of the same files.

    Where they are not at the same place, the file of the hindmost is played from its beginning,
    and each market goes on where it was: what was handed out of it is counted, and left out.
    """
    places = {(file_of(state), state["first"], state["block"]) for state in states}
    hindmost = min(states, key=lambda state: (file_of(state), -len(state["files"])))
    result = State({**begin(hindmost["block"]), "files": hindmost["files"]})
    result["texts"] = sorted({market for state in states for market in state["texts"]})
    result["markets"] = sorted({market for state in states for market in state["markets"]})
    result["counts"] = (*_sums(states), *hindmost["counts"][2:])
    for state in states:
        result["ahead"] |= state["ahead"]
        if len(places) == 1:
            result["first"] = state["first"]
            result["done"] |= state["done"]
            result["handed"] |= state["handed"]
        else:
            _leave_out(state, file_of(hindmost), result)
    return result


def only(state: State, markets: Collection[str], *, counted: bool) -> State:
    """Return what a state says of some markets; whether what was counted counts there, too."""
    counts = state["counts"] if counted else (0, 0, *state["counts"][2:])
    return State(
        {
            **state,
            "done": {market: done for market, done in state["done"].items() if market in markets},
            "handed": {name: count for name, count in state["handed"].items() if name in markets},
            "ahead": {market: at for market, at in state["ahead"].items() if market in markets},
            "texts": [market for market in state["texts"] if market in markets],
            "markets": [market for market in state["markets"] if market in markets],
            "counts": counts,
        }
    )


def _leave_out(state: State, file: int, result: State) -> None:
    """Let what a state has handed out be left out from the beginning of a file on."""
    own = file_of(state)
    for market in state["markets"]:
        if market in state["ahead"]:
            continue
        count = state["handed"].get(market, 0) + state["done"].get(market, 0)
        if own > file:
            result["ahead"][market] = (own, count)
        elif count:
            result["done"][market] = count


def _sums(states: Sequence[State]) -> tuple[int, int]:
    trades, rejects = zip(*(state["counts"][:2] for state in states), strict=True)
    return sum(trades), sum(rejects)
