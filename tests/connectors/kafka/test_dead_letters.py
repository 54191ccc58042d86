"""Dead letters: what could not be read is kept whole, with why and from where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from connectors.kafka.dead_letters import KafkaDeadLetters
from connectors.log.log import Entry, LogError, partition_of
from tests.connectors.kafka_place import PARTITIONS, KafkaPlace, any_place, mock_place
from tests.connectors.mock_kafka import Api

MARKET = "binance:BTC/USDT"


@pytest.fixture
def place() -> Iterator[KafkaPlace]:
    with any_place() as place:
        yield place


def letter(place: KafkaPlace) -> Message:
    consumer = Consumer({**place.settings.options(), "group.id": "test"})
    number = partition_of(MARKET, PARTITIONS)
    consumer.assign([TopicPartition(place.settings.dead, number, 0)])
    found: list[Message] = []
    while not found:  # or the test's own time is over
        found = consumer.consume(1, 0.1)
    return found[0]


def test_a_letter_is_whole_and_tells_why_and_from_where(place: KafkaPlace) -> None:
    with closing(KafkaDeadLetters(place.settings)) as letters:
        letters.put("market-id/3", Entry(17, MARKET, b"\xff{"), "not JSON: ä")
        letters.flush()
        found = letter(place)
    assert (found.key(), found.value()) == (MARKET.encode(), b"\xff{")
    assert dict(found.headers() or []) == {
        "partition": b"market-id/3",
        "offset": b"17",
        "reason": "not JSON: ä".encode(),
    }


def test_a_reason_that_quotes_all_of_a_letter_is_cut(place: KafkaPlace) -> None:
    with closing(KafkaDeadLetters(place.settings)) as letters:
        letters.put("market-id/3", Entry(17, MARKET, b"{"), "x" * 100_000)
    assert dict(letter(place).headers() or [])["reason"] == b"x" * 1_000


def test_a_letter_that_is_not_taken_is_an_error() -> None:
    with mock_place() as place:
        letters = KafkaDeadLetters(place.settings)
        assert place.mock is not None
        place.mock.fail(Api.PRODUCE, 29)
        letters.put("market-id/3", Entry(17, MARKET, b"{"), "not JSON")
        with pytest.raises(LogError, match=r"topic 'market.dead': .*this user may not"):
            letters.close()
