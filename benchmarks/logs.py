"""The logs that are measured: each in a home or under a topic of its own, removed afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from confluent_kafka.admin import AdminClient

from connectors.kafka.settings import KafkaSettings
from infra.log.log import MarketLog
from infra.log.topic_rules import Wanted
from infra.log.topics import Topics
from infra.settings import Settings

PARTITIONS = 8
_ANSWER_SECONDS = 30.0

Opened = Callable[[], AbstractContextManager[Settings]]


def logs() -> dict[str, Opened]:
    """Return how to make those that can be measured here, by name; Kafka's settings name it."""
    kafka = KafkaSettings.from_environment(os.environ)
    opened: dict[str, Opened] = {"embedded": embedded}
    if kafka is not None:
        opened["Kafka"] = lambda: in_kafka(kafka)
    return opened


@contextmanager
def embedded() -> Iterator[Settings]:
    """Give a home for an embedded log; whatever writes to it at the end is stopped."""
    # On the disk where logs are kept: a temporary directory may be in memory.
    place = Settings.from_environment().home / "benchmarks"
    place.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place, prefix="log-") as home:
        settings = Settings(Path(home))
        try:
            yield settings
        finally:
            MarketLog(settings).stop()


@contextmanager
def in_kafka(kafka: KafkaSettings) -> Iterator[Settings]:
    """Give topics of one copy."""
    ours = replace(kafka, topic=f"bench-{uuid4().hex}")
    with embedded() as settings:
        topics = Topics(ours)
        topics.make(Wanted(PARTITIONS, 1, 1.0))
        try:
            yield replace(settings, kafka=ours)
        finally:
            admin = AdminClient(ours.options())  # it must live until the answer is there
            for done in admin.delete_topics([*topics.names]).values():
                done.result(_ANSWER_SECONDS)
