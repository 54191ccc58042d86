"""How a stand-in exchange misbehaves towards requests of who trades; what happened is counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from tests.standin.clock import PrivateClock
from tests.standin.orders import RefusedError, Why
from tests.standin.trading import Trading

T = TypeVar("T")
Asked: TypeAlias = Literal["place", "cancel", "look up", "read"]
"""What a private request wants; `read` is any other."""
_MAINTENANCE = 503


class LostError(Exception):
    """The answer gets lost: the line is cut instead."""


class StatusError(Exception):
    """The answer is an error of HTTP's, whatever was done."""

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(status)
        self.status, self.retry_after = status, retry_after


@dataclass(frozen=True)
class _Fault:
    asked: Asked
    name: str
    error: Exception | None
    after: bool
    seconds: float = 0.0

    async def strike(self) -> None:
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error


class OrderTrouble:
    """Orders to misbehave; each may be given from any thread, and waits for a request it is for.

    Parameters
    ----------
    call
        Runs something in the exchange's loop, and returns what it returned.
    clock, trading
        Of the exchange.

    """

    def __init__(
        self, call: Callable[[Callable[[], object]], object], clock: PrivateClock, trading: Trading
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.maintenance = False
        """Whether no private request is answered but by 503."""
        self._faults: list[_Fault] = []
        self._call, self._clock, self._trading = call, clock, trading

    def lose(
        self, asked: Asked = "place", times: int = 1, after: bool = True, seconds: float = 0.0
    ) -> None:
        """Cut the line instead of an answer, after the work was done or before.

        Parameters
        ----------
        asked, times
            Of the next requests of a kind, how many.
        after
            Whether what was asked for is done nevertheless.
        seconds
            How long it is silent before that: a client may give up earlier.

        """
        self._add(times, _Fault(asked, "lost", LostError(), after, seconds))

    def fail(
        self,
        status: int,
        asked: Asked = "place",
        times: int = 1,
        after: bool = False,
        retry_after: float | None = None,
    ) -> None:
        """Answer with an error: 429, 418, 500, 503 and the like, after the work or before."""
        name = f"status {status}"
        self._add(times, _Fault(asked, name, StatusError(status, retry_after), after))

    def slow(self, seconds: float, asked: Asked = "place", times: int = 1) -> None:
        """Answer late."""
        self._add(times, _Fault(asked, "slow", None, after=True, seconds=seconds))

    def reject(self, why: Why = "told to", asked: Asked = "place", times: int = 1) -> None:
        """Refuse what is all right."""
        self._add(times, _Fault(asked, "rejected", RefusedError(why), after=False))

    def deny(self, times: int = 1) -> None:
        """Say of the next orders that are looked up that there is none, as if it were too early."""
        self.reject("unknown", "look up", times)

    def maintain(self, on: bool = True) -> None:
        """Be closed for maintenance, or open again."""
        self._call(lambda: setattr(self, "maintenance", on))

    def skew(self, ahead: int | None) -> None:
        """Set the clock that stamps are judged by ahead of ours (behind: below 0), ms."""
        self._call(lambda: setattr(self._clock, "skew", ahead))

    def partial(self, share: float, market: str) -> None:
        """Fill this share of a market's next order, and then nothing, until `release`."""
        self._call(lambda: setattr(self._trading.engines[market], "share", share))

    def stick(self, market: str) -> None:
        """Let the next stop of a market trigger, and nothing come of it until `release`."""
        self._call(lambda: setattr(self._trading.engines[market], "sticks", True))

    def release(self, market: str) -> None:
        """Let what was filled in part, or is stuck, go on."""
        self._call(self._trading.engines[market].release)

    async def around(self, asked: Asked, work: Callable[[], T]) -> T:
        """Do what is asked for, and return it; or raise how it goes wrong.

        Raises
        ------
        LostError, StatusError, RefusedError
            As was ordered.

        """
        self.counts[asked] += 1
        if self.maintenance:
            self.counts["maintenance"] += 1
            raise StatusError(_MAINTENANCE)
        fault = next((fault for fault in self._faults if fault.asked == asked), None)
        if fault is None:
            return work()
        self._faults.remove(fault)
        self.counts[fault.name] += 1
        if not fault.after:
            await fault.strike()
        done = work()
        if fault.after:
            await fault.strike()
        return done

    def _add(self, times: int, fault: _Fault) -> None:
        self._call(lambda: self._faults.extend([fault] * times))
