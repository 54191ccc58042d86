"""Messages on their way into a topic: each arrives once and in order, or it is an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.kafka.client import Heard, asking, metadata, partition_count, problem
from connectors.kafka.settings import KafkaSettings
from connectors.log.log import LogError

MESSAGE_BYTES = 8 << 20
"""The largest message, as it is: well above any event's."""
TOPIC_BYTES = MESSAGE_BYTES + (64 << 10)
"""What a topic must take: there are a key, headers and Kafka's own around a message."""
UNDER_WAY_BYTES = 64 << 20
"""What may be under way before the sender waits."""
PATIENCE_SECONDS = 120.0
"""How long Kafka may be away before what is under way is given up."""
_NOT_SENT = frozenset({KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT, KafkaError._FATAL})
"""What is said of messages when another thing is why."""

Headers: TypeAlias = dict[str, str | bytes | None]

_WAIT_SECONDS = 0.1


class Sender:
    """Send to one topic. The first message that is not taken ends it, and is told ever after.

    Parameters
    ----------
    settings
        Where Kafka is.
    topic
        Where to.
    patience
        Seconds that Kafka may be away.

    Raises
    ------
    LogError
        When Kafka does not answer, or has no such topic.

    """

    def __init__(self, settings: KafkaSettings, topic: str, patience: float) -> None:
        self._settings, self._topic = settings, topic
        self._heard, self._outcome = Heard(), _Outcome()
        with asking(settings, self._heard, topic):
            self._producer = _producer(settings, patience, self._outcome, self._heard)
            self.partitions = partition_count(
                settings, metadata(self._producer, self._heard), topic
            )

    def send(self, partition: int, key: str, value: bytes, headers: Headers | None = None) -> None:
        """Hand over a message; wait only when too much is under way.

        Raises
        ------
        LogError
            When this one, or an earlier one, is not taken.

        """
        while True:
            self._check()
            try:
                # Its time is librdkafka's: that of this call, by our clock.
                self._producer.produce(self._topic, value, key, partition, headers=headers or {})
            except BufferError:
                self._serve(self._producer.poll, _WAIT_SECONDS)
            except KafkaException as refused:
                self._serve(self._producer.poll, _WAIT_SECONDS)  # an earlier one may be why
                self._outcome.refuse(key, len(value), refused.args[0])
            else:
                self._serve(self._producer.poll, 0)
                return

    def flush(self) -> None:
        """Return when all that was handed over is durable.

        Raises
        ------
        LogError
            When something was not taken.

        """
        while self._serve(self._producer.flush, _WAIT_SECONDS):
            self._check()
        self._check()

    def close(self) -> None:
        """Flush, and give back what it holds."""
        try:
            self.flush()
        finally:
            self._producer.purge()
            del self._producer

    def _serve(self, serve: Callable[[float], int], seconds: float) -> int:
        """Let librdkafka call us back."""
        try:
            return serve(seconds)
        except KafkaException as ended:
            self._outcome.ended = ended.args[0]
            self._producer.poll(_WAIT_SECONDS)  # it tells now which messages it did not send
            return len(self._producer)

    def _check(self) -> None:
        if self._outcome.failed:
            market, size, error = self._outcome.failed
            why = problem(self._settings, error, self._topic)
            raise LogError(f"a message of {market}, {size:,} bytes, did not go into the log: {why}")
        if why_not := self._outcome.ended or self._heard.refused:
            raise problem(self._settings, why_not, self._topic)


def _producer(
    settings: KafkaSettings, patience: float, outcome: _Outcome, heard: Heard
) -> Producer:
    return Producer(
        {
            **settings.options(),
            "acks": "all",
            "enable.idempotence": True,
            # What stands behind a message that is given up must not arrive without it.
            "enable.gapless.guarantee": True,
            "message.timeout.ms": int(patience * 1_000),
            "message.max.bytes": MESSAGE_BYTES,
            "queue.buffering.max.kbytes": UNDER_WAY_BYTES >> 10,
            "compression.type": "lz4",
            "delivery.report.only.error": True,
            "on_delivery": outcome,
            "error_cb": heard,
        }
    )


class _Outcome:
    """The first message that was not taken; librdkafka calls it, in one of our own calls."""

    def __init__(self) -> None:
        self.failed: tuple[str, int, KafkaError] | None = None
        self.ended: KafkaError | None = None
        """Why nothing can be sent any more."""

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            key, value = message.key() or b"", message.value() or b""
            self.refuse(key.decode(errors="backslashreplace"), len(value), error)

    def refuse(self, market: str, size: int, error: KafkaError) -> None:
        if self.ended and error.code() in _NOT_SENT:
            error = self.ended
        self.failed = self.failed or (market, size, error)
