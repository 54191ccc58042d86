"""What goes wrong: drawn from a seed, done to whoever plays the part right then."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

import psutil

from schemas import SECOND
from tests.chaos.cast import Role
from tests.chaos.trouble import Trouble, Troubles

Kind: TypeAlias = str

SIGNALS: dict[Kind, signal.Signals] = {"kill": signal.SIGKILL, "end": signal.SIGTERM}
ALL: tuple[Kind, ...] = ("kill", "end", "freeze", "full disk", "slow disk", "clock")
"""What can happen to any process; but for its signals it lasts a while, and is over."""
_LONGEST = 1.5
_CLOCKS = (-3_600 * SECOND, -5 * SECOND, 5 * SECOND, 3_600 * SECOND)
_SLOW = SECOND // 10


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Parameters
    ----------
    after
        How far into the run, from 0 to 1.
    kind
        One of `ALL`: `end` is SIGTERM, `freeze` SIGSTOP; or what a scene knows itself.
    role
        To whom.
    number
        To which of them, counted round.
    seconds
        For how long, if it lasts.
    clock
        How far the clock jumps, in nanoseconds.

    """

    after: float
    kind: Kind
    role: Role
    number: int
    seconds: float
    clock: int

    def __str__(self) -> str:
        return f"{self.kind} {self.role}"


def draw(random: Random, choices: Sequence[tuple[Kind, Role]], count: int) -> list[Fault]:
    """Return faults in the order in which they come.

    Parameters
    ----------
    random
        Decides everything.
    choices
        What may go wrong, each as likely as another.
    count
        How many.

    """
    return [
        Fault(
            after, *random.choice(choices), random.randrange(4),
            random.uniform(0.05, _LONGEST), random.choice(_CLOCKS),
        )
        for after in sorted(random.uniform(0.05, 0.95) for _ in range(count))
    ]  # fmt: skip


def strike(fault: Fault, victims: Sequence[psutil.Process], troubles: Troubles) -> bool:
    """Let a fault happen to one of those, to its end; whether there was somebody.

    Parameters
    ----------
    fault
        What happens.
    victims
        Who plays its role now.
    troubles
        Theirs.

    """
    if not victims:
        return False
    victim = victims[fault.number % len(victims)]
    with suppress(psutil.NoSuchProcess):
        if fault.kind in SIGNALS:
            victim.send_signal(SIGNALS[fault.kind])
        elif fault.kind == "freeze":
            _lasting(fault, victim.suspend, victim.resume)
        else:
            trouble = {
                "full disk": Trouble(full=True),
                "slow disk": Trouble(sync=_SLOW),
                "clock": Trouble(clock=fault.clock),
            }[fault.kind]
            pid = victim.pid
            _lasting(fault, lambda: troubles.give(pid, trouble), lambda: troubles.take(pid))
    return True


def _lasting(fault: Fault, begin: Callable[[], None], end: Callable[[], None]) -> None:
    begin()
    try:
        time.sleep(fault.seconds)
    finally:
        end()
