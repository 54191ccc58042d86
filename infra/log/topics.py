"""The topics of the market log and of orders in Kafka: making them, and that they lose nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from time import monotonic
from typing import Annotated, TypeVar

import typer
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._metadata import TopicMetadata
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic
from rich import box
from rich.table import Table

from connectors.kafka.client import ANSWER_SECONDS, Heard, administrable, asking, metadata, problem
from connectors.kafka.settings import KafkaSettings, Options
from connectors.log.log import LogError
from infra.log.topic_rules import RULED, Found, Wanted, faults
from infra.screen import out, say, told
from infra.settings import Settings

T = TypeVar("T")

_LOOK_SECONDS = 0.05

app = typer.Typer(help="The topics of the market log and of orders in Kafka.", no_args_is_help=True)

_Partitions = Annotated[int, typer.Option(min=1, max=1024, help="How many, for good.")]
_Replication = Annotated[
    int | None,
    typer.Option(
        min=1, help="Brokers that keep a copy.", show_default="3, or 1 where there is one broker"
    ),
]
_Days = Annotated[float, typer.Option(min=0.01, help="How long messages are kept, at least.")]


class Topics:
    """The topics of a market log: its own, that of dead letters, and that of the orders.

    Parameters
    ----------
    settings
        Where Kafka is.

    Raises
    ------
    LogError
        When it does not answer, or lets nobody see how topics are set up.

    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings, self._heard = settings, Heard()
        self.names = (settings.topic, settings.dead, settings.orders)
        options: Options = {**settings.options(), "error_cb": self._heard}
        with asking(settings, self._heard, settings.topic):
            self._admin = AdminClient(options)
            cluster = metadata(self._admin, self._heard)
        if not administrable(cluster):
            raise LogError(
                f"Kafka at {settings.bootstrap} answers no questions about topics: it is "
                f"librdkafka's mock cluster, or speaks a part of Kafka's protocol only; make the "
                f"topics {', '.join(self.names)} in its own way"
            )
        self.brokers = len(cluster.brokers)

    def found(self) -> list[Found]:
        """Return those topics that there are."""
        with asking(self._settings, self._heard, self._settings.topic):
            topics = self._topics()
            return [self._found(topics[name]) for name in self.names if name in topics]

    def make(self, wanted: Wanted) -> list[str]:
        """Make those topics that are not there, and return their names."""
        topics = [
            NewTopic(name, wanted.partitions, wanted.replication, config=wanted.config())
            for name in self.names
        ]
        asked = self._admin.create_topics(topics, request_timeout=ANSWER_SECONDS)
        made = [name for name, done in asked.items() if self._made(name, done, wanted)]
        deadline = monotonic() + ANSWER_SECONDS
        while not self._topics().keys() >= {*made} and monotonic() < deadline:
            self._admin.poll(_LOOK_SECONDS)  # what is made takes a while to be seen
        return made

    def _topics(self) -> dict[str, TopicMetadata]:
        return metadata(self._admin, self._heard).topics

    def _made(self, name: str, done: Future[None], wanted: Wanted) -> bool:
        try:
            _answer(done)
        except KafkaException as refused:
            error: KafkaError = refused.args[0]
            if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return False
            if error.code() == KafkaError.INVALID_REPLICATION_FACTOR:
                raise LogError(
                    f"{wanted.replication} copies need as many brokers, and Kafka at "
                    f"{self._settings.bootstrap} has {self.brokers}: start more, or say "
                    f"--replication {self.brokers}"
                ) from None
            raise problem(self._settings, error, name, self._heard) from None
        return True

    def _found(self, topic: TopicMetadata) -> Found:
        name = str(topic.topic)
        resource = ConfigResource(ResourceType.TOPIC, name)
        asked = self._admin.describe_configs([resource], request_timeout=ANSWER_SECONDS)
        config = {entry.name: entry.value for entry in _answer(asked[resource]).values()}
        if missing := RULED - config.keys():
            raise LogError(
                f"Kafka at {self._settings.bootstrap} does not tell how the topic {name!r} is set "
                f"up (no {', '.join(sorted(missing))}): see in its own way that it is as in "
                f"docs/kafka.md"
            )
        copies = [len(partition.replicas) for partition in topic.partitions.values()]
        return Found(name, len(copies), min(copies, default=0), config)


def _answer(asked: Future[T]) -> T:
    return asked.result(2 * ANSWER_SECONDS)


@app.command("create")
def create_command(
    partitions: _Partitions = 8, replication: _Replication = None, days: _Days = 7.0
) -> None:
    """Make those that are not there; check those that are."""
    with told():
        topics = Topics(_kafka())
        wanted = _wanted(topics, partitions, replication, days)
        made = topics.make(wanted)
        _show(topics, wanted, made)


@app.command("check")
def check_command(
    partitions: _Partitions = 8, replication: _Replication = None, days: _Days = 7.0
) -> None:
    """See that they are there, and lose nothing; what is wrong is told with what to change."""
    with told():
        topics = Topics(_kafka())
        _show(topics, _wanted(topics, partitions, replication, days), made=[])


def _kafka() -> KafkaSettings:
    kafka = Settings.from_environment().kafka
    if kafka is None:
        raise LogError("KAFKA_BOOTSTRAP is not set: set it to host:port of a broker")
    return kafka


def _wanted(topics: Topics, partitions: int, replication: int | None, days: float) -> Wanted:
    return Wanted(partitions, replication or (1 if topics.brokers == 1 else 3), days)


def _show(topics: Topics, wanted: Wanted, made: list[str]) -> None:
    """Print what there is; end with an error if it is not as it must be."""
    found = {topic.name: topic for topic in topics.found()}
    wrong = {topic.name: list(faults(topic, wanted)) for topic in found.values()}
    wrong |= {
        name: ["it is not there, or this user may not see it: deck topics create"]
        for name in topics.names
        if name not in found
    }
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("topic", "partitions", "copies", "days", "in sync", "longest message", ""):
        grid.add_column(name, justify="left" if name in ("topic", "") else "right")
    for name in topics.names:
        state = "made" if name in made else "good"
        state = "wrong" if wrong[name] else state
        grid.add_row(name, *_cells(found.get(name)), state if name in found else "missing")
    out.print(grid)
    for name, whats in wrong.items():
        for what in whats:
            say(f"{name}: {what}", "red")
    if any(wrong.values()):
        raise typer.Exit(1)


def _cells(found: Found | None) -> Iterator[str]:
    if found is None:
        yield from ["–"] * 5
        return
    yield str(found.partitions)
    yield str(found.replication)
    yield "for ever" if found.days == float("inf") else f"{found.days:g}"
    yield found.config["min.insync.replicas"]
    yield f"{int(found.config['max.message.bytes']):,} bytes"
