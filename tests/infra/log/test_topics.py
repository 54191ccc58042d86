"""`deck topics` on a real broker, and where there is none to ask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from confluent_kafka.cimpl import NewTopic
from typer.testing import CliRunner, Result

from connectors.kafka import client as kafka_client
from connectors.kafka.log import KafkaLog
from connectors.kafka.settings import KafkaSettings
from infra.log import topics
from tests.connectors.kafka_place import ANSWER, KafkaPlace, admin, mock_place, remove


def deck(settings: KafkaSettings, *arguments: str) -> Result:
    environment = {"KAFKA_BOOTSTRAP": settings.bootstrap, "KAFKA_TOPIC": settings.topic}
    return CliRunner().invoke(topics.app, arguments, env=environment)


@pytest.fixture
def real() -> Iterator[KafkaSettings]:
    """Name a topic on a real broker; what is made of it is removed afterwards."""
    settings = KafkaSettings.from_environment(os.environ)
    if settings is None:
        pytest.skip("only a real broker can make topics: set KAFKA_BOOTSTRAP")
    named = replace(settings, topic=f"test-{uuid4().hex}")
    yield named
    there = admin(named).list_topics(timeout=ANSWER).topics
    if {named.topic, named.dead, named.orders} <= there.keys():
        remove(KafkaPlace(named))


def test_topics_are_made_once_and_are_good(real: KafkaSettings) -> None:
    missing = deck(real, "check", "--partitions", "2")
    assert missing.exit_code == 1
    assert "deck topics create" in missing.output
    for state in ("made", "good"):
        made = deck(real, "create", "--partitions", "2")
        assert made.exit_code == 0, made.output
        assert made.output.count(state) == 3
    assert deck(real, "check", "--partitions", "2").exit_code == 0
    assert len(KafkaLog(real).partitions()) == 2


def test_what_is_wrong_is_told_with_what_to_change(real: KafkaSettings) -> None:
    config = {"cleanup.policy": "compact", "retention.ms": "1000"}
    kafka = admin(real)
    (done,) = kafka.create_topics([NewTopic(real.topic, 2, 1, config=config)]).values()
    done.result(ANSWER)
    refused = deck(real, "create")
    assert refused.exit_code == 1
    for said in ("--partitions 2", "set it to delete", "instead of 7", "max.message.bytes"):
        assert said in refused.output
    assert "wrong" in refused.output
    assert "made" in refused.output  # the other one


def test_more_copies_than_brokers_are_refused(real: KafkaSettings) -> None:
    refused = deck(real, "create", "--replication", "99")
    assert refused.exit_code == 1
    assert "99 copies need as many brokers" in refused.output


@pytest.mark.timeout(30)
def test_where_nobody_knows_topics_it_is_said_at_once() -> None:
    with mock_place() as place:
        refused = deck(place.settings, "check")
    assert refused.exit_code == 1
    assert "answers no questions about topics" in refused.output


def test_a_broker_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_client, "ANSWER_SECONDS", 1.0)
    refused = deck(KafkaSettings("127.0.0.1:1"), "check")
    assert refused.exit_code == 1
    assert "127.0.0.1:1 does not answer" in refused.output


def test_without_an_address_it_is_told_what_to_set() -> None:
    refused = deck(KafkaSettings(""), "check")
    assert refused.exit_code == 1
    assert "KAFKA_BOOTSTRAP is not set" in refused.output
