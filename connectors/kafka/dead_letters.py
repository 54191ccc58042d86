"""What could not be read, kept whole in a topic of its own, with why and where it was from."""

from __future__ import annotations

from connectors.kafka.sender import PATIENCE_SECONDS, Headers, Sender
from connectors.kafka.settings import KafkaSettings
from connectors.log.log import Entry, partition_of

_WHY = 1_000
"""Letters of a reason, at most: it may quote what is wrong."""


class KafkaDeadLetters:
    """The topic `KAFKA_TOPIC.dead`: the key is the market's, headers tell origin and reason.

    After a crash a letter may be there twice; its partition and offset tell that it is the same.

    Parameters
    ----------
    settings
        Where it is.

    Raises
    ------
    LogError
        When Kafka does not answer, or has no such topic.

    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._sender = Sender(settings, settings.dead, PATIENCE_SECONDS)

    def put(self, partition: str, entry: Entry, why: str) -> None:
        """Hand over an entry of `partition` that could not be read.

        Raises
        ------
        LogError
            When it, or an earlier one, was not taken.

        """
        headers: Headers = {
            "partition": partition,
            "offset": str(entry.offset),
            "reason": why[:_WHY],
        }
        number = partition_of(entry.market, self._sender.partitions)
        self._sender.send(number, entry.market, entry.message, headers)

    def flush(self) -> None:
        """Return when all that was handed over is durable.

        Raises
        ------
        LogError
            When one was not taken.

        """
        self._sender.flush()

    def close(self) -> None:
        """Flush, and give back what it holds."""
        self._sender.close()
