"""Read again what was read before: from where a reader began, to where its state was kept."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import TypeAlias

from connectors.log.log import Bounds, LogError, LostError
from connectors.log.offsets import Chunk, State
from connectors.recordings.strips import Strip
from schemas import Trades

Chunks: TypeAlias = Generator[Chunk | None, None, None]


def began(state: State) -> int:
    """Return the offset at which a reader began, whatever it was stopped by since.

    Examples
    --------
    >>> from connectors.log.offsets import start
    >>> began({**start(70, None), "first": 90, "counts": (0, 0, 0, 20)})
    70

    """
    return state["first"] - state["counts"][3]


def from_there(state: State, since: State) -> State:
    """Return what a reader kept as if it had begun where it stood at an earlier time.

    Examples
    --------
    >>> from connectors.log.offsets import start
    >>> late = {**start(70, None), "first": 90, "counts": (0, 0, 0, 20)}
    >>> began(from_there(late, {**start(70, None), "first": 85, "counts": (0, 0, 0, 15)}))
    85

    """
    return {**state, "counts": (*state["counts"][:3], state["first"] - since["first"])}


def again(read: Callable[[State], Chunks], begin: State, state: State, end: int) -> Chunks:
    """Read what a reader handed out until its state was kept, and nothing behind it.

    Parameters
    ----------
    read
        Reads the partition from a state on.
    begin
        Where to begin: with the reader, or where it stood at an earlier time.
    state
        What the reader kept.
    end
        Where the partition ends now.

    Raises
    ------
    LogError
        When that comes first.

    """
    yield from read({**begin, "end": state["first"]})
    left = dict(state["done"])
    if not left:
        return
    # It stood in the middle of some messages: of each market it had handed out this much more.
    with closing(read({**state, "end": end, "done": {}})) as chunks:
        for chunk in chunks:
            if chunk is not None:
                yield chunk._replace(strips=_first_of(chunk.strips, left))
            if not left:
                return
    raise LogError(_short(end))


def check_kept(states: Mapping[str, State], kept: Mapping[str, Bounds]) -> None:
    """See that a log still has all that was read of it.

    Parameters
    ----------
    states
        What the readers of its partitions kept.
    kept
        What there is now of each partition.

    Raises
    ------
    LostError
        When retention took some of it.
    LogError
        When it is another log, or an older copy of it.

    """
    read = {name: state for name, state in states.items() if state["first"] > began(state)}
    if others := read.keys() - kept.keys():
        raise LogError(
            f"the run read the partition {min(others)}, and this log has "
            f"{min(kept, default='none')}: name the log that it read"
        )
    for name, state in sorted(read.items()):
        (first, end), begin, behind = kept[name], began(state), state["first"]
        if end < behind:
            raise LogError(_short(end))
        if begin < first:
            gone = min(first, behind) - begin
            raise LostError(
                f"{name}: of what the run read, {gone:,} messages from offset {begin:,} on "
                f"are gone, for retention took them; the log begins at {first:,}: read what "
                f"history keeps of it, --from-clickhouse"
            )


def _first_of(strips: Mapping[str, Strip], left: dict[str, int]) -> dict[str, Strip]:
    """Return the first trades and other events of each market; count down how many are left."""
    return {market: _taken(market, strip, left) for market, strip in strips.items()}


def _taken(market: str, strip: Strip, left: dict[str, int]) -> Strip:
    taken: Strip = []
    for event in strip:
        room = left.get(market, 0)
        count = len(event) if isinstance(event, Trades) else 1
        if room < count:
            if room and isinstance(event, Trades):
                taken.append(event.cut(0, room))
            left.pop(market, None)
            break
        taken.append(event)
        left[market] = room - count
    if not left.get(market, 1):
        del left[market]
    return taken


def _short(end: int) -> str:
    return (
        f"the log ends at {end:,} here, and the run read on: an older copy of it was put back, or "
        f"history has not got all of it yet; give it the log that the run read"
    )
