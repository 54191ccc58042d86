"""Plays captures on one clock: at a speed, as fast as clients can take it, or up to a point."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from tests.standin.capture import Line
from tests.standin.market import Market

_STRIDE = 64
"""Lines played before anyone else has a turn."""


class Turn(NamedTuple):
    """What is played next: a line of a market."""

    received: int
    row: int
    """Of the line, in its market."""
    market: Market
    line: Line


class Player:
    """All markets' lines in order of arrival, and how far they are played.

    It lives in the exchange's loop: nothing here is called from another thread.

    Parameters
    ----------
    markets
        What to play.
    play
        Lets a line happen.
    settle
        Waits until clients were sent what was played.
    speed
        Seconds of the recording a second; `None` for as fast as clients can take it.

    """

    def __init__(
        self,
        markets: Sequence[Market],
        play: Callable[[Turn], None],
        settle: Callable[[], Awaitable[None]],
        speed: float | None,
    ) -> None:
        turns = [
            [Turn(line.received, i, market, line) for i, line in enumerate(market.capture.lines)]
            for market in markets
        ]
        self.turns = list(heapq.merge(*turns, key=lambda turn: turn.received))
        self.at = 0
        """How many were played."""
        self.stop = 0
        """Where the play pauses."""
        self.speed = speed
        self.plans: defaultdict[int, list[Callable[[], object]]] = defaultdict(list)
        """What else happens, right in front of a turn."""
        self._play, self._settle = play, settle
        self._changed = asyncio.Event()
        self._origin = (time.monotonic(), self._time_of(0))
        self._settled = 0

    @property
    def settled(self) -> bool:
        """Whether it stands still, and all that was played was sent."""
        return self.at >= self.stop and self._settled == self.at

    def go(self, stop: int) -> None:
        """Play up to a turn, from here on."""
        self._origin = (time.monotonic(), self.now())
        self.stop = min(stop, len(self.turns))
        self._changed.set()

    def end(self, lines: int | None) -> int:
        """Return where some more lines end; without a number, all of them."""
        return len(self.turns) if lines is None else self.at + lines

    def behind_trade(self, market: Market, id_: int) -> int:
        """Return the turn right behind a trade."""
        trades = (n for n, line in enumerate(market.capture.lines) if line.stream == "trade")
        row = next(n for n, trade in zip(trades, market.ids, strict=True) if trade == id_)
        return 1 + next(
            n for n, turn in enumerate(self.turns) if (turn.market, turn.row) == (market, row)
        )

    def now(self) -> int:
        """Return the recorder's time, ns; a pause stops it, the end does not."""
        if self.speed is None:
            return self._time_of(max(self.at - 1, 0))
        if self.at >= self.stop and self.at < len(self.turns):
            return self._time_of(max(self.at - 1, 0))
        since, then = self._origin
        return then + int((time.monotonic() - since) * self.speed * 1e9)

    async def run(self) -> None:
        """Play, for ever."""
        while True:
            self._changed.clear()
            while self.at < self.stop and self._wait() <= 0:
                self._step()
                if self.at % _STRIDE == 0:
                    await self._breathe()
            if self.at >= self.stop:
                await self._settle()
                self._settled = self.at
            await self._sleep(self._wait() if self.at < self.stop else None)

    async def _breathe(self) -> None:
        await asyncio.sleep(0)
        if self.speed is None:
            await self._settle()

    async def _sleep(self, seconds: float | None) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except asyncio.TimeoutError:
            return

    def _step(self) -> None:
        for plan in self.plans.pop(self.at, ()):
            plan()
        self._play(self.turns[self.at])
        self.at += 1

    def _wait(self) -> float:
        """Return the seconds until the next turn is due."""
        if self.speed is None:
            return 0.0
        since, then = self._origin
        return since + (self._time_of(self.at) - then) / 1e9 / self.speed - time.monotonic()

    def _time_of(self, turn: int) -> int:
        return self.turns[min(turn, len(self.turns) - 1)].received if self.turns else 0
