"""Numbers from a Kafka topic: each comes, and comes again only if it was not noted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Producer

from connectors.kafka.value_topic import ValueTopic
from schemas import Reject, Value
from tests.connectors.kafka_place import KafkaPlace, any_place

MARKET = "okx:A/B"
_PATIENCE = 30.0


@pytest.fixture
def place() -> Iterator[KafkaPlace]:
    with any_place() as place:
        yield place


def put(place: KafkaPlace, *messages: str) -> None:
    producer = Producer(place.settings.options())
    for message in messages:
        producer.produce(place.settings.topic, message, partition=0)
    assert not producer.flush(_PATIENCE)


def told(value: float) -> str:
    return f'{{"market": "{MARKET}", "series": "fear", "value": {value}, "ts": 7}}'


def some(topic: ValueTopic, count: int) -> list[Value | Reject]:
    found: list[Value | Reject] = []
    deadline = time.monotonic() + _PATIENCE
    while len(found) < count and time.monotonic() < deadline:
        found += topic.read(0.1)
    return found


def test_what_was_there_and_what_comes_is_read_in_order(place: KafkaPlace) -> None:
    put(place, told(1.0), "{")
    with closing(ValueTopic(place.settings, place.settings.topic)) as topic:
        first, second = some(topic, 2)
        assert isinstance(first, Value)
        assert (first.market, first.ts, first.series, first.value) == (MARKET, 7, "fear", 1.0)
        assert isinstance(second, Reject)
        assert second.payload == "{"
        put(place, told(2.0))
        [third] = some(topic, 1)
        assert isinstance(third, Value)
        assert third.value == 2.0
        topic.note()


def test_what_was_noted_does_not_come_again(place: KafkaPlace) -> None:
    if place.mock:
        pytest.skip("a member that leaves the mock cluster's group is missed: set KAFKA_BOOTSTRAP")
    put(place, told(1.0))
    with closing(ValueTopic(place.settings, place.settings.topic)) as topic:
        assert len(some(topic, 1)) == 1
        topic.note()
        put(place, told(2.0))
        assert len(some(topic, 1)) == 1
    with closing(ValueTopic(place.settings, place.settings.topic)) as topic:
        [again] = some(topic, 1)
        assert isinstance(again, Value)
        assert again.value == 2.0
