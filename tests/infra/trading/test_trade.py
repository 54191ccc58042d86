"""`deck trade` on paper, on the embedded log, in processes of its own; and what it refuses."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest

from connectors.executor.order_queue import Alive, Asked, read_ask
from infra.log.log import OrderQueue
from infra.log.places import Embedded
from infra.settings import Settings
from schemas import SECOND
from tests.infra.nursery import Started
from tests.infra.rig import Rig, until
from tests.infra.trading_rig import OFTEN, Feed, Seen, count, feed, kept

Kind = TypeVar("Kind", Alive, Asked)
PAPER: list[str | Path | int] = ["trade", "often.py", "--no-history"]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    (tmp_path / "often.py").write_text(OFTEN)
    return Rig(tmp_path)


@pytest.fixture
def market(rig: Rig) -> Iterator[Feed]:
    with feed(rig) as made:
        yield made


@contextmanager
def trading(rig: Rig, *options: str | Path) -> Iterator[Started]:
    """Trade on paper, and stop as a user does."""
    with rig.started(*PAPER, "--events", rig.home / "events.jsonl", *options) as process:
        yield process
        process.send_signal(signal.SIGINT)
        said = process.communicate()
        assert process.returncode == 0, said


def of(events: Seen, kind: str) -> Seen:
    return [event for event in events if event["type"] == kind]


@pytest.mark.parametrize(
    ("options", "live", "status", "told"),
    [
        (("--broker", "live", "--account", "main"), "", 2, "set TAPEDECK_LIVE=I-understand"),
        (("--broker", "live", "--account", "main"), "yes", 2, "TAPEDECK_LIVE is 'yes'"),
        (("--broker", "live"), "I-understand", 1, "name it, such as --account main"),
        (("--broker", "sandbox"), "", 1, "name it, such as --account main"),
        (("--account", "main"), "", 1, "leave --account main out"),
        (("--broker", "real"), "", 2, "Invalid value for '--broker'"),
        (("--from-log", "x", "--from-kafka"), "", 1, "give one of them"),
        (
            ("--from-log", "x", "--broker", "sandbox", "--account", "a"),
            "",
            1,
            "leave the directory",
        ),
        (("--warm-up", "long"), "", 1, "time 'long': write"),
    ],
)
def test_what_is_not_allowed_or_cannot_be_is_refused_with_what_to_do(
    rig: Rig, options: tuple[str, ...], live: str, status: int, told: str
) -> None:
    rig.environment["TAPEDECK_LIVE"] = live
    said = rig.deck(*PAPER, *options, status=status)
    assert told in " ".join(said.err.replace("│", " ").split())
    assert not (rig.home / "trading").exists()


def test_a_flow_trades_from_its_start_on_obeys_and_goes_on_behind_a_kill(
    rig: Rig, market: Feed
) -> None:
    store = rig.home / "trading" / "often-paper"
    for _ in range(10):
        market.second()
    begin = time.time_ns()
    with rig.started(*PAPER, "--events", rig.home / "events.jsonl") as process:
        market.until(lambda: count(store, "Closed") >= 4)
        os.kill(process.pid, signal.SIGKILL)
    with trading(rig):
        known = count(store, "Closed")
        market.until(lambda: count(store, "Closed") > known)
        rig.deck("halt", "--flow", "often")
        market.until(lambda: count(store, "Halt") == 2)
        rig.deck("resume", "--flow", "other")
        many = count(store, "Averages")
        market.until(lambda: count(store, "Averages") > many + 20)
        halted = kept(store)
        rig.deck("resume", "--flow", "often", "--market", "sim:A/USD")
        known = count(store, "Opened")
        market.until(lambda: count(store, "Opened") > known)
    events = kept(store)
    assert min(event["ts"] for event in events) > begin
    assert [event["seq"] for event in events if event["market"] == "sim:A/USD"] == list(
        range(sum(event["market"] == "sim:A/USD" for event in events))
    )
    for name in ("sim:A/USD", "sim:B/USD"):
        own = [event for event in halted if event["market"] == name]
        [halt] = of(own, "Halt")
        assert halt["why"].startswith("halt by ")
        late = [order for order in of(own, "Order") if order["seq"] > halt["seq"]]
        assert {order["action"] for order in late} <= {"exit"}
    assert {event["market"] for event in of(events, "Halt")[-1:]} <= {"sim:A/USD", "sim:B/USD"}
    resumed = [event for event in of(events, "Halt") if event["state"] == "active"]
    assert [event["market"] for event in resumed] == ["sim:A/USD"]


def test_a_store_is_refused_to_another_broker_and_to_a_replay_with_the_choices(
    rig: Rig, market: Feed
) -> None:
    store = rig.home / "own"
    with trading(rig, "--recovery", store):
        market.until(lambda: count(store, "Closed") >= 1)
    options = ("--recovery", store, "--events", rig.home / "events.jsonl")
    said = rig.deck(*PAPER, *options, "--broker", "sandbox", "--account", "main", status=1)
    assert f"{store} was made with --broker paper: give it the same" in said.err
    replay = ("replay", "often.py", "--no-history", "--from-log", *options)
    said = rig.deck(*replay, status=1)
    assert "was made by deck trade --broker paper: go on with that, or start afresh" in said.err
    other = ("--recovery", rig.home / "other", "--events", rig.home / "events.jsonl")
    rig.deck("replay", "often.py", "--no-history", "--from-log", *other)
    said = rig.deck(*PAPER, *other, status=1)
    assert "was made by deck replay: go on with that, or start afresh" in said.err


@pytest.mark.parametrize("warm_up", [(), ("--warm-up", "1h")])
def test_what_is_read_to_warm_up_is_on_the_tape_and_instruments_hold_without_it(
    rig: Rig, market: Feed, warm_up: tuple[str, ...]
) -> None:
    store = rig.home / "trading" / "often-paper"
    for _ in range(30):
        market.second()
    before = time.time_ns()
    with trading(rig, *warm_up):
        market.until(lambda: count(store, "Closed") >= 2)
    events = kept(store)
    assert any(event["ts"] < before for event in of(events, "Averages")) == bool(warm_up)
    orders = of(events, "Order")
    assert all(len(order["amount"].partition(".")[2]) <= 3 for order in orders)  # whole lots


def test_who_begins_before_a_market_is_taken_in_is_told_and_trades_when_it_comes(rig: Rig) -> None:
    store = rig.home / "trading" / "often-paper"
    with rig.started(*PAPER, "--events", rig.home / "events.jsonl") as process:
        assert until(process, lambda: "\nnothing comes yet: take markets in" in f"\n{process.err}")
        with feed(rig) as market:
            market.until(lambda: count(store, "Closed") >= 1)
            process.send_signal(signal.SIGINT)
            process.communicate()
    assert process.returncode == 0


def test_a_flow_with_an_account_queues_its_orders_and_says_that_it_lives_on_a_quiet_tape(
    rig: Rig, market: Feed
) -> None:
    store, options = rig.home / "own", ("--broker", "sandbox", "--account", "main")
    events = ("--recovery", rig.home / "own", "--events", rig.home / "events.jsonl")
    with rig.started(*PAPER, *events, *options) as process:
        market.until(lambda: count(store, "Order") >= 2)
        still = time.time_ns() + SECOND  # from here on nothing comes
        queue = Embedded(Settings(rig.home), OrderQueue)
        assert until(process, lambda: sum(ask.stamp > still for ask in asks(queue, Alive)) >= 3)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert "start deck executor --account main --broker sandbox" in said
    asked = asks(queue, Asked)
    assert {ask.account for ask in asked} == {"main:sandbox"}
    assert [ask.order.amount for ask in asked] == [
        Decimal(event["amount"]) for event in of(kept(store), "Order")
    ]
    assert asks(queue, Alive)[-1].markets == sorted({ask.order.market for ask in asked})


def asks(queue: Embedded, kind: type[Kind]) -> list[Kind]:
    """Return what stands in the order queue of one kind."""
    found = []
    with closing(queue.log()) as log:
        for name in log.partitions():
            with closing(log.open(name, 0)) as cursor:
                found += [read_ask(entry.message) for entry in cursor.read(10_000)]
    return [ask for ask in found if isinstance(ask, kind)]
