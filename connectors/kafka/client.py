"""What all clients of Kafka share: what it says of a topic, and its troubles in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin._metadata import ClusterMetadata

from connectors.kafka.settings import KafkaSettings
from connectors.log.log import LogError

ANSWER_SECONDS = 10.0
"""How long Kafka may take to answer a question; appending and reading wait longer."""

_LOOK_SECONDS = 2.0
_PAUSE_SECONDS = 0.05

AWAY = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TIMED_OUT,
        KafkaError._RESOLVE,
        KafkaError.REQUEST_TIMED_OUT,
    }
)
"""Errors that say that nobody answers."""
_MOVING = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)
"""Errors of a partition that is new, or goes to another broker."""
T = TypeVar("T")


class Heard:
    """What a client complains of by itself, from any thread; librdkafka calls it."""

    def __init__(self) -> None:
        self.last: KafkaError | None = None
        """The last complaint that says why."""

    def __call__(self, error: KafkaError) -> None:
        """Keep a complaint."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self.last = error

    @property
    def refused(self) -> KafkaError | None:
        """That the broker does not take our user, if this is so."""
        refused = self.last is not None and self.last.code() == KafkaError._AUTHENTICATION
        return self.last if refused else None


@contextmanager
def asking(settings: KafkaSettings, heard: Heard, topic: str) -> Iterator[None]:
    """Turn what Kafka raises into a `LogError`."""
    try:
        yield
    except KafkaException as raised:
        raise problem(settings, raised.args[0], topic, heard) from None


def problem(
    settings: KafkaSettings, error: KafkaError, topic: str, heard: Heard | None = None
) -> LogError:
    """Return what an error of Kafka's means for us, and what to do."""
    code = error.code()
    if code in AWAY and heard is not None and heard.last is not None:
        error, code = heard.last, heard.last.code()
    where = f"Kafka at {settings.bootstrap}"
    if code in AWAY:
        return LogError(
            f"{where} does not answer ({error.str()}): see that it runs, and check "
            f"KAFKA_BOOTSTRAP and KAFKA_SECURITY_PROTOCOL"
        )
    remedy = _REMEDIES.get(code)
    return LogError(f"{where}, topic {topic!r}: {error.str()}" + (f": {remedy}" if remedy else ""))


_REMEDIES = {
    KafkaError._AUTHENTICATION: (
        "check KAFKA_USERNAME, KAFKA_PASSWORD and KAFKA_SASL_MECHANISM, and that "
        "KAFKA_SECURITY_PROTOCOL is what that port speaks"
    ),
    KafkaError._SSL: "check KAFKA_SECURITY_PROTOCOL, KAFKA_CA, KAFKA_CERTIFICATE and KAFKA_KEY",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: (
        "this user may not; docs/kafka.md has the ACLs that each needs"
    ),
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: (
        "this user may not; docs/kafka.md has the ACLs that each needs"
    ),
    KafkaError.UNKNOWN_TOPIC_OR_PART: "make it with `deck topics create`",
    KafkaError._UNKNOWN_TOPIC: "make it with `deck topics create`",
    KafkaError._UNKNOWN_PARTITION: "see what it has with `deck topics check`",
    KafkaError.MSG_SIZE_TOO_LARGE: (
        "the topic's max.message.bytes is too small; `deck topics check` tells what it must be"
    ),
    KafkaError._MSG_TIMED_OUT: (
        "it did not take what was sent in time; see that it runs, and that enough replicas do"
    ),
}


class _Client(Protocol):
    """Any of librdkafka's."""

    def list_topics(self, *, timeout: float) -> ClusterMetadata: ...
    def poll(self, timeout: float) -> object: ...


def answer(ask: Callable[[float], T], client: _Client, heard: Heard) -> T:
    """Ask, with seconds to wait, until there is an answer; unless the broker refuses us."""
    deadline = monotonic() + ANSWER_SECONDS
    while True:
        try:
            return ask(_LOOK_SECONDS)
        except KafkaException as raised:
            client.poll(_PAUSE_SECONDS)  # so that why is heard
            passing = raised.args[0].code() in AWAY | _MOVING
            if not passing or heard.refused or monotonic() > deadline:
                raise


def metadata(client: _Client, heard: Heard) -> ClusterMetadata:
    """Return what Kafka says of itself and all topics."""
    return answer(lambda seconds: client.list_topics(timeout=seconds), client, heard)


def administrable(cluster: ClusterMetadata) -> bool:
    """Tell whether there is one to ask how topics are set up.

    librdkafka's mock cluster names a controller that is not there: who asks it waits in vain.
    """
    return cluster.controller_id == -1 or cluster.controller_id in cluster.brokers


def partition_count(settings: KafkaSettings, cluster: ClusterMetadata, topic: str) -> int:
    """Return how many partitions a topic has.

    Raises
    ------
    LogError
        When there is no such topic.

    """
    found = cluster.topics.get(topic)
    if found is None:
        raise LogError(
            f"Kafka at {settings.bootstrap} has no topic {topic!r} that this user may see: make it "
            f"with `deck topics create`, or check KAFKA_TOPIC and the ACLs"
        )
    if found.error is not None:
        raise problem(settings, found.error, topic)
    return len(found.partitions)
