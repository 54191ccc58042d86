"""Topics for tests: on the broker that KAFKA_BOOTSTRAP names, else on librdkafka's mock cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from connectors.kafka.appender import KafkaAppender
from connectors.kafka.log import KafkaLog
from connectors.kafka.sender import TOPIC_BYTES
from connectors.kafka.settings import KafkaSettings
from connectors.log.log import Appender, Log
from tests.connectors.log_contract import wait_for
from tests.connectors.mock_kafka import MockKafka, mock_kafka

PARTITIONS = 3
ANSWER = 30.0


@dataclass
class KafkaPlace:
    """A topic of its own, with nothing in it, and one for dead letters."""

    settings: KafkaSettings
    mock: MockKafka | None = None

    def log(self) -> Log:
        return KafkaLog(self.settings)

    def appender(self) -> Appender:
        return KafkaAppender(self.settings)

    def cut(self, partition: str, offset: int) -> None:
        if self.mock:
            pytest.skip("the mock cluster has no retention: set KAFKA_BOOTSTRAP")
        number = int(partition.rpartition("/")[2])
        place = TopicPartition(self.settings.topic, number, offset)
        kafka = admin(self.settings)  # it must live until the answer is there
        kafka.delete_records([place], request_timeout=ANSWER)[place].result(ANSWER)


@contextmanager
def kafka_place(settings: KafkaSettings, longest: int = TOPIC_BYTES) -> Iterator[KafkaPlace]:
    """Make topics on a real broker, and remove them afterwards."""
    place = KafkaPlace(replace(settings, topic=f"test-{uuid4().hex}"))
    make(place, longest)
    try:
        yield place
    finally:
        remove(place)


def topics(place: KafkaPlace) -> list[str]:
    return [place.settings.topic, place.settings.dead, place.settings.orders]


def make(place: KafkaPlace, longest: int = TOPIC_BYTES) -> None:
    kafka = admin(place.settings)
    config = {"max.message.bytes": str(longest)}
    names = topics(place)
    asked = kafka.create_topics([NewTopic(name, PARTITIONS, 1, config=config) for name in names])
    for done in asked.values():
        done.result(ANSWER)
    wait_for(lambda: kafka.list_topics(timeout=ANSWER).topics.keys() >= {*names})


def remove(place: KafkaPlace) -> None:
    kafka = admin(place.settings)
    names = topics(place)
    for done in kafka.delete_topics(names).values():
        done.result(ANSWER)
    wait_for(lambda: not kafka.list_topics(timeout=ANSWER).topics.keys() & {*names})


@contextmanager
def mock_place() -> Iterator[KafkaPlace]:
    """Make topics on a mock cluster."""
    with mock_kafka() as mock:
        settings = KafkaSettings(mock.bootstrap, topic="market")
        place = KafkaPlace(settings, mock)
        for name in topics(place):
            mock.topic(name, PARTITIONS)
        yield place


@contextmanager
def any_place() -> Iterator[KafkaPlace]:
    """Make topics on the best broker there is."""
    real = KafkaSettings.from_environment(os.environ)
    with kafka_place(real) if real else mock_place() as place:
        yield place


def admin(settings: KafkaSettings) -> AdminClient:
    return AdminClient({"bootstrap.servers": settings.bootstrap, "log_level": 0})
