"""A run of two processes on Kafka that was killed: what it concluded is verified."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from infra.history.history import History
from infra.log.log import MarketLog, OrderQueue
from infra.settings import Settings
from infra.verify.checkpoints import VERIFY, Checkpoint, Checkpoints
from infra.verify.past_run import find
from infra.verify.stretch import numbers
from infra.verify.verifying import Verifying
from tests.connectors.kafka_place import KafkaPlace, any_place
from tests.infra.nursery import Nursery, stop
from tests.infra.trading_rig import OFTEN, Feed, count
from tests.infra.verify.verified import NAME, archive

MARKETS = ("sim:A/USD", "sim:H/USD")
"""Each is read by another process."""
TRADE = ("trade", "often.py", "--processes", "2", "--events", "live.jsonl", "--from-kafka")


@pytest.fixture
def topic(tmp_path: Path) -> Iterator[KafkaPlace]:
    (tmp_path / "often.py").write_text(OFTEN)
    with ExitStack() as held:
        for part in (MarketLog, OrderQueue, History):
            held.callback(part(Settings(tmp_path)).stop)
        yield held.enter_context(any_place())


def _both_began(taken: Checkpoint | None, book: Checkpoints) -> bool:
    """Tell whether a checkpoint has something of both markets; it is dropped if not."""
    both = taken is not None and numbers(taken).keys() == {*MARKETS}
    if taken is not None and not both:
        book.drop(taken)
    return both


def test_two_processes_on_kafka_that_were_killed_are_identical(
    topic: KafkaPlace, tmp_path: Path
) -> None:
    store, kafka = tmp_path / "trading" / NAME, topic.settings
    nursery = Nursery(tmp_path, {"KAFKA_BOOTSTRAP": kafka.bootstrap, "KAFKA_TOPIC": kafka.topic})

    def closed() -> int:
        """Return how many positions are closed in that market which has fewer."""
        return min(count(store, "Closed", market) for market in MARKETS)

    with closing(topic.appender()) as appender:
        market, book = Feed(appender, MARKETS), Checkpoints(store)
        process = nursery.start(*TRADE)
        market.until(lambda: closed() > 0)
        market.until(lambda: _both_began(book.take(VERIFY), book))
        market.until(lambda: closed() > 1)
        process.kill()
        process.join()
        process = nursery.start(*TRADE)
        known = closed()
        market.until(lambda: closed() > known)
        stop(process, nursery.said)
    settings = replace(Settings(tmp_path), kafka=kafka)
    with closing(topic.log()) as log:
        archive(log, settings)
    verifying = Verifying(find(NAME, settings), NAME, None, settings)
    outcomes = [verifying.verify(one, lambda _: None) for one in verifying.stretches()]
    receipts = [one.receipt for one in outcomes if one.receipt is not None]
    assert [(one.difference, one.unseen) for one in receipts] == [({}, "")] * 2
    assert all(one.trades and one.candles and len(one.positions) == 2 for one in receipts)
    told = (tmp_path / "live.jsonl").read_bytes().splitlines()
    assert sum(one.events for one in receipts) == len(told)
