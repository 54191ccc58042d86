"""Numbers of other data sources, from a Kafka topic of their own."""

from __future__ import annotations

import time
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException

from connectors.kafka.client import AWAY
from connectors.kafka.settings import KafkaSettings
from connectors.log.log import LogError
from connectors.values import read_message
from schemas import Reject, Value

GROUP = "tapedeck-values"
_AT_ONCE = 1_000


class ValueTopic:
    """Reads a topic from where it was read before; at first, from its beginning.

    Its messages are what `read_message` reads. How far it was read is kept in Kafka, for the
    consumer group `tapedeck-values`: what was read and not yet noted comes again after a crash.

    Parameters
    ----------
    settings
        Where Kafka is.
    topic
        The topic's name.

    """

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        self.topic = topic
        self._consumer = Consumer(
            {
                **settings.options(),
                "group.id": GROUP,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        self._consumer.subscribe([topic])

    def read(self, seconds: float) -> Sequence[Value | Reject]:
        """Return what comes next, after so many seconds at the latest.

        Raises
        ------
        LogError
            When the topic cannot be read.

        """
        events: list[Value | Reject] = []
        for message in self._consumer.consume(_AT_ONCE, seconds):
            error = message.error()
            if error is None:
                events += read_message(message.value() or b"", time.time_ns())
            elif error.code() not in AWAY:
                raise LogError(f"Kafka topic {self.topic}: {error.str()}; check its name and ACLs")
        return events

    def note(self) -> None:
        """Note that all that was read is kept.

        Raises
        ------
        LogError
            When Kafka does not take the note.

        """
        try:
            self._consumer.commit(asynchronous=False)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._NO_OFFSET:
                raise LogError(f"Kafka topic {self.topic}: {error.args[0].str()}") from error

    def close(self) -> None:
        """Give back what it holds."""
        self._consumer.close()
