"""A flow that trades, seen from outside: its port, and a chat, with a kill between."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from tests.chat_room import ChatRoom
from tests.infra.nursery import Started
from tests.infra.rig import Rig, until
from tests.infra.trading_rig import OFTEN, Feed, count, feed

TRADE = ("trade", "often.py", "--no-history", "--metrics-port", 0)
SNAPSHOTS = "tapedeck_snapshot_seconds_count"


@pytest.fixture
def room() -> Iterator[ChatRoom]:
    with ChatRoom() as made:
        yield made


@pytest.fixture
def rig(tmp_path: Path, room: ChatRoom) -> Rig:
    (tmp_path / "often.py").write_text(OFTEN)
    return Rig(tmp_path, {"TAPEDECK_NOTIFY_WEBHOOK": f"{room.url}/planted"})


@pytest.fixture
def market(rig: Rig) -> Iterator[Feed]:
    with feed(rig) as made:
        yield made


def port(process: Started) -> str:
    """Return where metrics are, as it is said."""
    told = re.compile(r"metrics: (http://127\.0\.0\.1:\d+/metrics)")
    assert until(process, lambda: bool(told.search(process.err))), process.err
    found = told.search(process.err)
    assert found
    return found[1]


def published(url: str, start: str) -> float:
    """Return the sum of samples whose line begins so."""
    text = urllib3.request("GET", url).data.decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(start))


def test_a_flow_is_seen_by_its_port_and_heard_in_a_chat_before_and_behind_a_kill(
    rig: Rig, market: Feed, room: ChatRoom
) -> None:
    events = ("--events", rig.home / "events.jsonl")
    store = rig.home / "trading" / "often-paper"
    with rig.started(*TRADE, *events) as process:
        url = port(process)
        closed = 'tapedeck_events_total{deployment="often",kind="closed"'
        market.until(lambda: published(url, closed) > 0 and bool(room.texts))
        assert published(url, "tapedeck_trades_total") > 0
        assert published(url, "tapedeck_info") == 1
        # Two snapshots more, and the first of them is kept: behind it no position closes again.
        taken = published(url, SNAPSHOTS) + 2
        market.until(lambda: published(url, SNAPSHOTS) > taken)
        os.kill(process.pid, signal.SIGKILL)
    with rig.started(*TRADE, *events) as process:
        url, known = port(process), count(store, "Closed")
        market.until(lambda: count(store, "Closed") > known and published(url, closed) > 0)
        counted = published(url, closed)
        process.send_signal(signal.SIGINT)
        said = process.communicate()
    assert process.returncode == 0, said
    assert counted < count(store, "Closed")  # it counts from its start on
    assert "planted" not in str(said)
    sizes = [held(text) for text in room.texts]
    wanted = sum(count(store, kind) for kind in ("Fill", "Closed", "Halt", "Fault"))
    assert 0 <= sum(sizes) - wanted <= max(sizes)  # only what was on its way comes twice


def held(text: str) -> int:
    """Return how many notices a message stands for."""
    lines = text.split("\n")
    more = [int(line.split()[1]) for line in lines if line.startswith("and ")]
    return len(lines) - len(more) + sum(more)
