"""A flow and its executor, killed at any time: in the end exchange, outbox and tape agree.

`TRADING_KILLS` tells how often; a kill and what follows it take some three seconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from infra.leaving import held_by
from infra.settings import Settings
from tests.infra.rig import Rig
from tests.infra.test_executor import THERE, Desk, desk, of
from tests.infra.trading_rig import Seen, count

__all__ = ["desk"]
"""A fixture."""

KILLS = int(os.environ.get("TRADING_KILLS", "6"))
SEED = int(os.environ.get("TRADING_SEED", "1"))


@dataclass
class Killed:
    """A command that is started again whenever it was killed."""

    rig: Rig
    arguments: list[str | Path]
    held: ExitStack = field(default_factory=ExitStack)

    def start(self) -> subprocess.Popen[str]:
        self.process = self.held.enter_context(self.rig.started(*self.arguments))
        return self.process

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.start()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate()
        assert self.process.returncode == 0, said


@contextmanager
def both(desk: Desk) -> Iterator[tuple[Killed, Killed]]:
    executor = Killed(desk.rig, [*desk.executor()])
    flow = Killed(desk.rig, [*desk.trade(), "--no-history"])
    with executor.held, flow.held:
        executor.start()
        flow.start()
        yield executor, flow
        flow.stop()
        executor.stop()


@pytest.mark.timeout(300 + 20 * KILLS)
def test_whatever_is_killed_no_order_is_doubled_and_no_position_forgotten(desk: Desk) -> None:
    random = Random(SEED)
    with both(desk) as pair:
        desk.until(lambda: count(desk.store, "Closed") >= 1)
        for _ in range(KILLS):
            known, some = len(desk.account.orders), random.randrange(3)
            desk.until(lambda: len(desk.account.orders) > known + some)  # noqa: B023 - now
            time.sleep(random.random() / 5)  # any moment is as good as another
            random.choice(pair).kill()
        known = count(desk.store, "Closed")
        desk.until(lambda: count(desk.store, "Closed") > known)
        desk.rig.deck("flatten", "--all")
        desk.until(lambda: not still_open(desk.events))
    agree(desk)


def still_open(events: Seen) -> set[int]:
    opened = {event["position"] for event in of(events, "Opened")}
    return opened - {event["position"] for event in of(events, "Closed")}


def agree(desk: Desk) -> None:
    """See that the exchange, the outbox and the tape tell the same."""
    events, account = desk.events, desk.account
    assert len(account.ids) == len(set(account.ids))
    assert account.position(THERE) == 0
    assert account.open_orders() == []
    assert held_by(Settings(desk.rig.home), ["main:sandbox"]) == []
    fills = {event["trade_id"]: event for event in of(events, "Fill")}
    assert len(fills) == len(of(events, "Fill"))
    done = [(Decimal(fill["price"]), Decimal(fill["amount"])) for fill in fills.values()]
    assert sorted(done) == sorted((deal.price, deal.amount) for _, deal in account.fills)
    numbers = [event["seq"] for event in events]
    assert numbers == list(range(len(numbers)))
    for position in {event["position"] for event in of(events, "Opened")}:
        own = [event for event in of(events, "Opened") if event["position"] == position]
        assert len({event["deadline"] for event in own}) == 1
