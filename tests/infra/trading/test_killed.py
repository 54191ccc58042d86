"""A flow and its executor, killed at any time: behind each restart exchange, outbox and tape agree.

`TRADING_KILLS` tells how often, `TRADING_SEED` which moments are tried.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median
from typing import NamedTuple
from uuid import uuid4

import pytest

from schemas import SECOND
from tests.infra.killing import COIN, PERPETUAL, STAGES, Ground, Killed, Scene, both, scene

KILLS = int(os.environ.get("TRADING_KILLS", "20"))
SEED = int(os.environ.get("TRADING_SEED", "1"))
LINES_A_KILL = 400
"""What the exchange plays for each: twenty seconds."""


class Kill(NamedTuple):
    """One kill, and what came of it."""

    killed: str
    stage: str
    """Of the position, when the process died."""
    held: bool
    """Whether a position was held."""
    rested: int
    """How many orders were open at the exchange."""
    on: float
    """Seconds to the first order behind it."""
    agreed: float
    """Seconds until all agreed."""


@pytest.mark.timeout(300 + 30 * KILLS)
def test_behind_each_kill_exchange_outbox_and_tape_agree(tmp_path: Path) -> None:
    told(killed(tmp_path, PERPETUAL, KILLS))


@pytest.mark.skipif("TRADING_KILLS" not in os.environ, reason="TRADING_KILLS asks for it")
@pytest.mark.timeout(300 + 30 * KILLS)
def test_behind_each_kill_all_agree_at_another_exchange(tmp_path: Path) -> None:
    told(killed(tmp_path, COIN, KILLS))


@pytest.mark.skipif("KAFKA_BOOTSTRAP" not in os.environ, reason="KAFKA_BOOTSTRAP names no broker")
@pytest.mark.timeout(300 + 30 * KILLS)
def test_behind_each_kill_all_agree_with_kafka_between_them(tmp_path: Path) -> None:
    told(killed(tmp_path, replace(PERPETUAL, kafka=True), KILLS))


def killed(home: Path, ground: Ground, kills: int) -> list[Kill]:
    """Kill a flow or its executor again and again, and see each time that all agree."""
    random = Random(SEED)
    kafka = {"KAFKA_TOPIC": f"test-{uuid4().hex}"} if ground.kafka else {}
    with scene(home, ground, 3_000 + LINES_A_KILL * kills, kafka) as here:
        with both(here) as pair:
            assert here.until(here.opened), here.nursery.said
            done = [kill(here, random.choice(pair), random) for _ in range(kills)]
            here.nursery.run("flatten", "--all", *here.told)
            assert here.until(lambda: not here.differs()), here.differs()
        ended(here)
        replayed(here)
    return done


def kill(here: Scene, who: Killed, random: Random) -> Kill:
    """Kill a process at a stage that is drawn, start it again, and see that all agree."""
    stage = random.choice(STAGES)
    here.until(lambda: here.stage() == stage, 3.0)  # some are rare: then it is another
    time.sleep(random.choice([0.0, random.random() / 20]))  # any moment is as good as another
    stage = here.stage()
    who.kill()
    here.tape.read()
    before = here.tape.orders, len(here.account.orders)
    rested = len(here.account.open_orders())
    if who is here.executor:  # then it is still so
        stage = here.stage()
    held, began = here.held != 0, time.monotonic()
    who.start()

    def goes_on() -> bool:
        here.tape.read()
        of_flow, of_all = here.tape.orders - before[0], len(here.account.orders) - before[1]
        return bool(of_flow if who is here.flow else of_all)

    assert here.until(goes_on), f"the {who.name} does not go on: {here.nursery.said}"
    on = time.monotonic() - began
    assert here.until(lambda: not here.differs()), f"{who.name}, {stage}: {here.differs()}"
    agreed = time.monotonic() - began
    assert here.until(here.guarded), f"{who.name}, {stage}: {here.differs()}"
    assert here.doubled() == []
    found = Kill(who.name, stage, held, rested, on, agreed)
    print(*found, flush=True)  # noqa: T201 - of many, each is told
    return found


def ended(here: Scene) -> None:
    """See that nothing is left, and that each position had its own barriers all along."""
    assert here.account.position(here.ground.there) == 0
    assert here.account.open_orders() == []
    assert not here.tape.opened
    events = here.tape.events
    numbers = [event["seq"] for event in events]
    assert numbers == list(range(len(numbers)))
    opened = [event for event in events if event["type"] == "Opened"]
    deadlines = {(event["position"], event["deadline"]) for event in opened}
    assert len(deadlines) == len({position for position, _ in deadlines})
    due = dict(deadlines)
    for event in events:
        if event["type"] == "Order" and event["why"] == "timeout":
            assert 0 <= event["ts"] - due[event["position"]] < SECOND


def replayed(here: Scene) -> None:
    """See that the log gives the events of the whole run once more, to the last byte."""
    live, again = here.home / "events.jsonl", here.home / "again.jsonl"
    here.nursery.run("replay", "often.py", "--as", "often-sandbox-main", "--events", str(again))
    assert again.read_bytes() == live.read_bytes()


def told(kills: Iterable[Kill]) -> None:
    """Print what was tried, by process and stage."""
    groups: dict[tuple[str, str], list[Kill]] = {}
    for one in kills:
        groups.setdefault((one.killed, one.stage), []).append(one)
    for (who, stage), some in sorted(groups.items()):
        on, agreed = median(one.on for one in some), max(one.agreed for one in some)
        print(f"{who:9} {stage:16} {len(some):4} {on:6.2f} s {agreed:6.2f} s")  # noqa: T201
