"""How what was read is handed out: market by market, so many trades at once, from anywhere on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from connectors.recordings.strips import Strip
from schemas import Reject, Trades

Item: TypeAlias = tuple[str, Strip]
"""A market, and what comes next on its tape."""


@dataclass(slots=True)
class Counts:
    """How far a part of a source is."""

    trades: int = 0
    rejects: int = 0
    rows: int = 0
    read: int = 0
    """Bytes of the files, or messages of the log."""
    kept: float = 0.0
    """When its last snapshot was taken, by `perf_counter`."""


class Progress:
    """How far a source is; to be read from any thread, also after a resume."""

    def __init__(self, total: int) -> None:
        self.total = total
        """Bytes of all files, or messages of the log; 0 if it has no end."""
        self.parts: dict[str, Counts] = {}

    @property
    def trades(self) -> int:
        """Trades handed out."""
        return sum(part.trades for part in list(self.parts.values()))

    @property
    def kept(self) -> float:
        """When the last snapshot of a part was taken, by `perf_counter`; 0 if none was."""
        return max((part.kept for part in list(self.parts.values())), default=0.0)

    @property
    def rejects(self) -> int:
        """What could not be read."""
        return sum(part.rejects for part in list(self.parts.values()))

    @property
    def rows(self) -> int:
        """Rows of the files that are done."""
        return sum(part.rows for part in list(self.parts.values()))

    @property
    def read(self) -> int:
        """What is done, of `total`."""
        return sum(part.read for part in list(self.parts.values()))


class Tracks:
    """The strips of what was read at once, and how much of each was handed out.

    Parameters
    ----------
    strips
        What there is of each market.
    done
        How many trades and other events of a market were handed out already, maybe more than
        there are.

    Examples
    --------
    >>> trades = Trades.of("okx:A", ts=[1, 2, 3], price=[7.0] * 3, size=[1.0] * 3)
    >>> tracks = Tracks({"okx:A": [trades]}, {"okx:A": 1})
    >>> [[part.ts.tolist() for part in strip] for _, strip in tracks.items(1, Counts())]
    [[[2]]]
    >>> tracks.done, tracks.left
    ({'okx:A': 2}, True)

    """

    def __init__(self, strips: Mapping[str, Strip], done: Mapping[str, int]) -> None:
        self._tracks = [_Track(market, strip) for market, strip in strips.items()]
        self._owed = dict(done)
        for track in self._tracks:
            if track.market in self._owed:
                self._owed[track.market] = track.skip(self._owed[track.market])
        self._left = [track for track in self._tracks if track.left]

    @property
    def left(self) -> bool:
        """Whether there is more to hand out."""
        return bool(self._left)

    @property
    def done(self) -> dict[str, int]:
        """How many trades and other events of each market were handed out."""
        done = self.owed
        for track in self._tracks:
            if track.done:
                done[track.market] = done.get(track.market, 0) + track.done
        return done

    @property
    def owed(self) -> dict[str, int]:
        """How much of what was handed out stands behind this."""
        return {market: owed for market, owed in self._owed.items() if owed}

    def items(self, batch: int, counts: Counts) -> list[Item]:
        """Return what comes next of each market, with at most `batch` trades of each."""
        items, ended = [], False
        for track in self._left:
            strip, trades = track.take(batch)
            items.append((track.market, strip))
            counts.trades += trades
            counts.rejects += track.rejects
            ended = ended or not track.left
        if ended:
            self._left = [track for track in self._left if track.left]
        return items


class _Track:
    """What there is of one market, and how much of it was handed out."""

    __slots__ = ("_event", "_row", "_strip", "done", "left", "market", "rejects")

    def __init__(self, market: str, strip: Strip) -> None:
        self.market = market
        self._strip = strip
        self._event = self._row = 0
        self.done = self.rejects = 0
        self.left = bool(strip)

    def skip(self, done: int) -> int:
        """Go on behind the first `done` trades and other events; return how many there are not."""
        left = done
        for event in self._strip:
            count = len(event) if isinstance(event, Trades) else 1
            if left < count:
                self._row = left
                left = 0
                break
            left -= count
            self._event += 1
        self.done = done - left
        self.left = self._event < len(self._strip)
        return left

    def take(self, room: int) -> tuple[Strip, int]:
        """Return what comes next, with at most `room` trades, and how many there are."""
        strip, trades, self.rejects = self._strip, 0, 0
        out: Strip = []
        while self._event < len(strip):
            event = strip[self._event]
            if type(event) is Trades:
                if trades == room:
                    break
                row, length = self._row, len(event)
                count = min(room - trades, length - row)
                out.append(event if count == length else event.cut(row, row + count))
                trades += count
                self._row = row + count
                if self._row < length:
                    break
                self._row = 0
            else:
                out.append(event)
                self.done += 1
                self.rejects += type(event) is Reject
            self._event += 1
        self.done += trades
        self.left = self._event < len(strip)
        return out, trades
