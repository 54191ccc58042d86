"""What a topic of the market log must be like, so that nothing is lost in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connectors.kafka.sender import TOPIC_BYTES

_DAY_MS = 86_400_000
_SAFE = 3
"""Replicas with which one may be away and another one break."""


@dataclass(frozen=True)
class Wanted:
    """What a topic is asked to be.

    Parameters
    ----------
    partitions
        How many, for good: a market's partition follows from their number.
    replication
        How many brokers keep a copy.
    days
        How long messages are kept, at least.

    """

    partitions: int
    replication: int
    days: float

    def config(self) -> dict[str, str]:
        """Return Kafka's settings of a new topic."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(round(self.days * _DAY_MS)),
            "retention.bytes": "-1",
            "max.message.bytes": str(TOPIC_BYTES),
            "min.insync.replicas": str(2 if self.replication >= _SAFE else 1),
        }


RULED = frozenset(Wanted(1, 1, 1).config())
"""Kafka's settings that there are rules for."""


@dataclass(frozen=True)
class Found:
    """What a topic is."""

    name: str
    partitions: int
    replication: int
    """Copies of that partition which has the fewest."""
    config: Mapping[str, str]

    @property
    def days(self) -> float:
        """How long messages are kept."""
        kept = int(self.config["retention.ms"])
        return float("inf") if kept < 0 else kept / _DAY_MS


def faults(found: Found, wanted: Wanted) -> Iterator[str]:
    """Tell each thing about a topic that would lose or refuse messages, and what to change.

    Examples
    --------
    >>> wanted = Wanted(partitions=8, replication=1, days=7)
    >>> found = Found("market", 8, 1, {**wanted.config(), "cleanup.policy": "compact"})
    >>> list(faults(found, wanted))
    ['cleanup.policy is compact, which keeps only the last message of a market: set it to delete']

    """
    config = found.config
    if found.partitions != wanted.partitions:
        yield (
            f"it has {found.partitions} partitions instead of {wanted.partitions}, and adding some "
            f"would move markets to others: say --partitions {found.partitions}, or archive it, "
            f"delete it and make it again"
        )
    if found.replication < wanted.replication:
        yield (
            f"a partition has {found.replication} copies instead of {wanted.replication}: "
            f"kafka-reassign-partitions.sh adds some, or say --replication {found.replication}"
        )
    if config["cleanup.policy"] != "delete":
        yield (
            f"cleanup.policy is {config['cleanup.policy']}, which keeps only the last message of a "
            f"market: set it to delete"
        )
    yield from _kept_too_short(found, wanted)
    if int(config["max.message.bytes"]) < TOPIC_BYTES:
        yield (
            f"max.message.bytes is {config['max.message.bytes']}, so long messages would be "
            f"refused: set it to {TOPIC_BYTES}"
        )
    yield from _out_of_sync(found)


def _kept_too_short(found: Found, wanted: Wanted) -> Iterator[str]:
    if found.days < wanted.days:
        yield (
            f"retention.ms keeps messages for {found.days:g} days instead of {wanted.days:g}: set "
            f"it to {wanted.config()['retention.ms']}, or say --days {found.days:g}"
        )
    if int(found.config["retention.bytes"]) >= 0:
        yield (
            f"retention.bytes is {found.config['retention.bytes']}, so messages may go before "
            f"their time: set it to -1"
        )


def _out_of_sync(found: Found) -> Iterator[str]:
    least = int(found.config["min.insync.replicas"])
    if least > found.replication:
        yield (
            f"min.insync.replicas is {least}, more than the {found.replication} copies there are, "
            f"so nothing could be appended: set it to {max(found.replication - 1, 1)}"
        )
    elif least == found.replication > 1:
        yield (
            f"min.insync.replicas is {least}, as many as there are copies, so one broker that is "
            f"away would stop all appending: set it to {found.replication - 1}"
        )
    elif least == 1 and found.replication >= _SAFE:
        yield (
            "min.insync.replicas is 1, so what only one broker has would count as durable: "
            "set it to 2"
        )
