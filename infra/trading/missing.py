"""What is missing beside a flow that trades: what comes in, and who takes its orders."""

from __future__ import annotations

import time
from collections.abc import Callable

from infra.running.sources import FromKafka
from infra.running.worker import Job
from infra.trading.trading import Trading, executes

_QUIET_SECONDS, _LOOK_SECONDS = 5.0, 1.0
_QUIET = "nothing comes yet: take markets in beside it, deck ingest --markets NAME,NAME"


class Missing:
    """Looks for them, as long as the flow trades.

    Parameters
    ----------
    job, trading
        What trades.
    clock
        Seconds, from any beginning.

    """

    def __init__(
        self, job: Job, trading: Trading, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._job, self._trading, self._clock = job, trading, clock
        self._begun = self._look = clock()
        self._alone = False

    def now(self, *, quiet: bool) -> list[str]:
        """Return a line for each that is missing now; `quiet` if nothing has come yet."""
        now = self._clock()
        if self._trading.real and now >= self._look:
            self._look = now + _LOOK_SECONDS
            self._alone = not executes(self._job.settings, self._trading.purse)
        lines = [self._executor()] if self._alone else []
        return [*lines, _QUIET] if quiet and now - self._begun > _QUIET_SECONDS else lines

    def _executor(self) -> str:
        option = " --kafka" if isinstance(self._job.origin, FromKafka) else ""
        return (
            f"no executor of {self._trading.purse} runs on this machine: start deck executor "
            f"--account {self._trading.account} --broker {self._trading.broker.value}{option}; "
            f"till then nothing goes out, and entries that wait are too old"
        )
