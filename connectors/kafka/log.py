"""The market log in Kafka, to be read: a topic whose partitions are ours."""

from __future__ import annotations

from collections.abc import Callable

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._metadata import ClusterMetadata

from connectors.kafka.client import (
    ANSWER_SECONDS,
    AWAY,
    Heard,
    administrable,
    answer,
    asking,
    metadata,
    partition_count,
    problem,
)
from connectors.kafka.settings import KafkaSettings
from connectors.log.log import Bounds, Cursor, Entry, LogError, LostError
from schemas import Time

_GROUP = "tapedeck"
"""librdkafka wants one; we join none, and keep no offsets in Kafka."""
_NO_ID = "A" * 22
"""What an old broker, or one that only speaks Kafka's protocol, gives as a topic's id."""
_MS = 1_000_000
_PASSING = AWAY | {KafkaError._PARTITION_EOF, KafkaError.GROUP_AUTHORIZATION_FAILED}
"""Errors of a reader that end by themselves, or are none of ours: we are in no group."""


class KafkaLog:
    """A topic as a log.

    A partition's name holds the topic's own id, so that a topic which was deleted and made again
    is not taken for the one it was. Kafka keeps times to the millisecond.

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
        self._settings, self._heard = settings, Heard()
        with asking(settings, self._heard, settings.topic):
            self._consumer = _consumer(settings, self._heard)
            cluster = metadata(self._consumer, self._heard)
            count = partition_count(settings, cluster, settings.topic)
            life = self._life(cluster)
        self._numbers = {f"{settings.topic}-{life}/{number}": number for number in range(count)}

    def partitions(self) -> list[str]:
        """Return the partitions' names: no other log, not even a later one, has the same."""
        return list(self._numbers)

    def bounds(self, partition: str) -> Bounds:
        """Return what a partition keeps now."""
        return Bounds(
            self._offset(partition, OFFSET_BEGINNING), self._offset(partition, OFFSET_END)
        )

    def offset_at(self, partition: str, time: Time) -> int:
        """Return the first offset appended at or behind `time`, our clock's; else the end."""
        found = self._offset(partition, time // _MS)
        return found if found >= 0 else self._offset(partition, OFFSET_END)

    def open(self, partition: str, offset: int) -> Cursor:
        """Return a cursor that reads from `offset` on."""
        if offset < 0:  # to librdkafka these are other places
            raise LogError(f"{partition}: there is no offset {offset}; the first is 0")
        place = self._place(partition, offset)
        return KafkaCursor(self._settings, place, partition, lambda: self.bounds(partition))

    def waker(self) -> None:
        """Return nothing: each partition has a consumer of its own."""

    def close(self) -> None:
        """Give back what it holds."""
        self._consumer.close()

    def _offset(self, partition: str, at: int) -> int:
        """Return the offset at a time in milliseconds, or at one of librdkafka's two ends."""
        place = self._place(partition, at)

        # Its get_watermark_offsets() gives a wrong beginning while a partition moves.
        def ask(seconds: float) -> int:
            (found,) = self._consumer.offsets_for_times([place], seconds)
            if found.error is not None:
                raise KafkaException(found.error)
            return found.offset

        with asking(self._settings, self._heard, place.topic):
            return answer(ask, self._consumer, self._heard)

    def _life(self, cluster: ClusterMetadata) -> str:
        """Return the topic's own id; where there is none, the cluster's."""
        if not administrable(cluster):
            return str(cluster.cluster_id)
        topic = self._settings.topic
        admin = AdminClient(self._settings.options())
        asked = admin.describe_topics(TopicCollection([topic]), request_timeout=ANSWER_SECONDS)
        life = str(asked[topic].result().topic_id).replace("/", "_").replace("+", "-")
        return str(cluster.cluster_id) if life == _NO_ID else life

    def _place(self, partition: str, offset: int = 0) -> TopicPartition:
        if partition not in self._numbers:
            raise LogError(
                f"partition {partition!r} is not one of the topic {self._settings.topic!r} as it "
                f"is now, such as {next(iter(self._numbers))!r}: the topic was made again, or it "
                f"is another one; start afresh, or replay from a recording or history"
            )
        return TopicPartition(self._settings.topic, self._numbers[partition], offset)


class KafkaCursor:
    """A place in a partition; in an outage it reads nothing, and goes on after it.

    Parameters
    ----------
    settings
        Where the log is.
    place
        Topic, partition and offset.
    name
        The partition's.
    bounds
        Tells what the partition keeps.

    """

    def __init__(
        self,
        settings: KafkaSettings,
        place: TopicPartition,
        name: str,
        bounds: Callable[[], Bounds],
    ) -> None:
        self._settings, self._place, self._name, self._bounds = settings, place, name, bounds
        self._next = place.offset
        self._come: list[Message] = []
        self._failed: LogError | None = None
        self._heard = Heard()
        with asking(settings, self._heard, place.topic):
            self._consumer = _consumer(settings, self._heard)
            self._consumer.assign([place])

    def read(self, limit: int) -> list[Entry]:
        """Return what comes next, at most `limit` messages, without waiting; nothing at the end.

        Raises
        ------
        LostError
            When it is not kept any more.
        LogError
            When the log cannot be read.

        """
        entries = [] if self._failed else self._take(limit)
        if self._failed and not entries:
            raise self._failed
        return entries

    def wait(self, seconds: float) -> None:
        """Return when there is something to read, or so many seconds later."""
        if not self._come:
            self._come = self._consumer.consume(1, seconds)

    def lag(self) -> int:
        """Return how many messages are to be read yet, as far as Kafka has told."""
        _, end = self._consumer.get_watermark_offsets(self._place, cached=True)
        return max(end - self._next, 0)

    def close(self) -> None:
        """Give back what it holds."""
        self._consumer.close()

    def _take(self, limit: int) -> list[Entry]:
        entries: list[Entry] = []
        come, self._come = self._come, []
        for message in come or self._consumer.consume(limit, 0):
            error = message.error()
            if error is None:
                entries.append(_entry(message))
                self._next = entries[-1].offset + 1
            elif error.code() not in _PASSING:
                self._failed = self._problem(error)
                return entries
        if refused := self._heard.refused:
            self._failed = problem(self._settings, refused, self._settings.topic)
        return entries

    def _problem(self, error: KafkaError) -> LogError:
        if error.code() != KafkaError._AUTO_OFFSET_RESET:
            return problem(self._settings, error, self._settings.topic)
        try:
            bounds, at = self._bounds(), self._next
        except LogError as unknown:
            return unknown
        if at < bounds.first:
            return LostError(
                f"{self._name}: what stood from {at:,} up to {bounds.first - 1:,}, "
                f"{bounds.first - at:,} messages, is not kept any more: replay it from a recording "
                f"or history, or start afresh, at {bounds.first:,} or behind it"
            )
        return LogError(
            f"{self._name}: there is nothing at {at:,}, it ends at {bounds.end:,}: its end was "
            f"lost with a broker, or this place is another log's; start afresh, or replay from a "
            f"recording or history"
        )


def _consumer(settings: KafkaSettings, heard: Heard) -> Consumer:
    return Consumer(
        {
            **settings.options(),
            "group.id": _GROUP,
            "enable.auto.commit": False,
            "auto.offset.reset": "error",  # else it would jump over what is not kept any more
            "queued.max.messages.kbytes": 16_384,
            "fetch.queue.backoff.ms": 5,  # its second is longer than we take to read all that
            "error_cb": heard,
        }
    )


def _entry(message: Message) -> Entry:
    offset, key = message.offset(), message.key() or b""
    return Entry(offset or 0, key.decode(errors="backslashreplace"), message.value() or b"")
