"""The market log in Kafka, to be written."""

from __future__ import annotations

from connectors.kafka.sender import PATIENCE_SECONDS, Sender
from connectors.kafka.settings import KafkaSettings
from connectors.log.log import partition_of


class KafkaAppender:
    """Append to the topic; Kafka may restart or be away for a while meanwhile.

    What is handed over waits for Kafka, at most 64 MiB of it. When something is not taken at
    all, nothing behind it goes in, and whoever appends must begin anew behind what the log has.

    Parameters
    ----------
    settings
        Where it is.
    patience
        Seconds that Kafka may be away before that is an error.

    Raises
    ------
    LogError
        When Kafka does not answer, or has no such topic.

    """

    def __init__(self, settings: KafkaSettings, patience: float = PATIENCE_SECONDS) -> None:
        self._sender = Sender(settings, settings.topic, patience)

    def append(self, market: str, message: bytes) -> None:
        """Hand over a message, of at most 8 MiB; wait only when too many are under way.

        Raises
        ------
        LogError
            When it, or an earlier one, was not taken.

        """
        self._sender.send(partition_of(market, self._sender.partitions), market, message)

    def flush(self) -> None:
        """Return when all that was handed over is durable, each once and in order.

        Raises
        ------
        LogError
            When one was not taken.

        """
        self._sender.flush()

    def close(self) -> None:
        """Flush, and give back what it holds."""
        self._sender.close()
