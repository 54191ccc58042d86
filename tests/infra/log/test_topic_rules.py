"""The rules for topics, by themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.kafka.sender import MESSAGE_BYTES
from infra.log.topic_rules import Found, Wanted, faults

WANTED = Wanted(partitions=8, replication=3, days=7.0)
GOOD = Found("market", 8, 3, WANTED.config())


@pytest.mark.parametrize("replication", [1, 2, 3, 4])
def test_a_topic_that_was_made_as_wanted_is_good(replication: int) -> None:
    wanted = replace(WANTED, replication=replication)
    assert not list(faults(Found("market", 8, replication, wanted.config()), wanted))


def test_more_than_what_is_wanted_is_good() -> None:
    config = {**GOOD.config, "retention.ms": "-1", "max.message.bytes": "100000000"}
    assert not list(faults(Found("market", 8, 5, config), WANTED))


@pytest.mark.parametrize("partitions", [1, 7, 9])
def test_another_number_of_partitions_is_refused(partitions: int) -> None:
    (said,) = faults(replace(GOOD, partitions=partitions), WANTED)
    assert f"say --partitions {partitions}, or archive it" in said


def test_fewer_copies_are_refused() -> None:
    (said,) = faults(
        replace(GOOD, replication=2, config={**GOOD.config, "min.insync.replicas": "1"}), WANTED
    )
    assert "2 copies instead of 3" in said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cleanup.policy": "compact"}, "cleanup.policy is compact"),
        ({"cleanup.policy": "compact,delete"}, "cleanup.policy is compact,delete"),
        ({"retention.ms": "86400000"}, "for 1 days instead of 7: set it to 604800000"),
        ({"retention.bytes": "1000"}, "retention.bytes is 1000"),
        ({"max.message.bytes": str(MESSAGE_BYTES)}, f"max.message.bytes is {MESSAGE_BYTES}"),
        ({"min.insync.replicas": "4"}, "nothing could be appended: set it to 2"),
        ({"min.insync.replicas": "3"}, "would stop all appending: set it to 2"),
        ({"min.insync.replicas": "1"}, "would count as durable: set it to 2"),
    ],
)
def test_each_setting_that_loses_or_refuses_messages_is_told(
    changed: dict[str, str], said: str
) -> None:
    (told,) = faults(replace(GOOD, config={**GOOD.config, **changed}), WANTED)
    assert said in told
