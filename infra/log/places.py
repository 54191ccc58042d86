"""Where the market log and the order queue are: embedded, or in Kafka."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from connectors.kafka.appender import KafkaAppender
from connectors.kafka.dead_letters import KafkaDeadLetters
from connectors.kafka.log import KafkaLog
from connectors.kafka.settings import KafkaSettings
from connectors.log.log import Appender, Log, LogError
from infra.log.log import MarketLog, OrderQueue
from infra.settings import Settings


class Place(Protocol):
    """Opens a log. It pickles, so that each process can be told."""

    def log(self) -> Log:
        """Open it to read."""
        ...

    def appender(self) -> Appender:
        """Open it to write."""
        ...

    def dead_letters(self) -> KafkaDeadLetters | None:
        """Open where messages go that cannot be read, if there is such a place."""
        ...


@dataclass(frozen=True)
class Embedded:
    """An embedded log of this installation, whose writer is started if need be."""

    settings: Settings
    kind: type[MarketLog] = MarketLog

    def log(self) -> Log:
        """Open it to read."""
        home = self.kind(self.settings)
        home.start()
        return home.log()

    def appender(self) -> Appender:
        """Open it to write."""
        return self.kind(self.settings).client()

    def dead_letters(self) -> None:
        """Return nothing: what cannot be read stays in the log, and is a row in `rejects`."""


@dataclass(frozen=True)
class InKafka:
    """Kafka's topic."""

    settings: KafkaSettings

    def log(self) -> Log:
        """Open it to read."""
        return KafkaLog(self.settings)

    def appender(self) -> Appender:
        """Open it to write."""
        return KafkaAppender(self.settings)

    def dead_letters(self) -> KafkaDeadLetters:
        """Open the topic of what cannot be read."""
        return KafkaDeadLetters(self.settings)


def place(settings: Settings, kafka: bool) -> Place:
    """Return where the market log is.

    Raises
    ------
    LogError
        When it should be Kafka, and nobody says where that is.

    """
    return InKafka(_kafka(settings)) if kafka else Embedded(settings)


def order_queue(settings: Settings, kafka: bool) -> Place:
    """Return where the order queue is: where the market log is, and beside it.

    Raises
    ------
    LogError
        When it should be Kafka, and nobody says where that is.

    """
    if not kafka:
        return Embedded(settings, OrderQueue)
    found = _kafka(settings)
    return InKafka(replace(found, topic=found.orders))


def _kafka(settings: Settings) -> KafkaSettings:
    if settings.kafka is None:
        raise LogError("--kafka: set KAFKA_BOOTSTRAP to Kafka's addresses, such as localhost:9092")
    return settings.kafka
