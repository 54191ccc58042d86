"""The appender: each market's messages in its own partition, with our clock's time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from connectors.kafka.appender import KafkaAppender
from connectors.log.log import partition_of
from tests.connectors.kafka_place import PARTITIONS, KafkaPlace, any_place


@pytest.fixture
def place() -> Iterator[KafkaPlace]:
    with any_place() as place:
        yield place


def test_a_message_has_its_market_as_key_and_our_clocks_time(place: KafkaPlace) -> None:
    market = "binance:BTC/USDT"
    before = time.time_ns() // 1_000_000
    with closing(KafkaAppender(place.settings)) as appender:
        appender.append(market, b"one")
    consumer = Consumer({**place.settings.options(), "group.id": "test"})
    number = partition_of(market, PARTITIONS)
    consumer.assign([TopicPartition(place.settings.topic, number, 0)])
    found: list[Message] = []
    while not found:  # or the test's own time is over
        found = consumer.consume(1, 0.1)
    (message,) = found
    assert (message.key(), message.value()) == (market.encode(), b"one")
    assert before <= message.timestamp()[1] <= time.time_ns() // 1_000_000
