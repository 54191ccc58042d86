"""Kafka's troubles in our words."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from connectors.kafka.client import Heard, asking, problem
from connectors.kafka.settings import KafkaSettings
from connectors.log.log import LogError

SETTINGS = KafkaSettings("broker:9092", password="the-password")


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (KafkaError._TRANSPORT, "does not answer"),
        (KafkaError._AUTHENTICATION, "check KAFKA_USERNAME"),
        (KafkaError._SSL, "KAFKA_CA"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "docs/kafka.md"),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, "deck topics create"),
        (KafkaError.MSG_SIZE_TOO_LARGE, "max.message.bytes"),
    ],
)
def test_an_error_names_the_broker_and_a_remedy(code: int, remedy: str) -> None:
    said = str(problem(SETTINGS, KafkaError(code), "market"))
    assert said.startswith("Kafka at broker:9092")
    assert remedy in said
    assert "the-password" not in said


def test_an_error_without_a_known_remedy_is_told_as_it_is() -> None:
    said = str(problem(SETTINGS, KafkaError(KafkaError.INVALID_TIMESTAMP, "odd"), "market"))
    assert said == "Kafka at broker:9092, topic 'market': odd"


def test_why_nobody_answers_is_what_the_client_heard() -> None:
    heard = Heard()
    heard(KafkaError(KafkaError._AUTHENTICATION, "wrong password"))
    heard(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))
    with (
        pytest.raises(LogError, match=r"wrong password: check KAFKA_USERNAME"),
        asking(SETTINGS, heard, "market"),
    ):
        raise KafkaException(KafkaError(KafkaError._TRANSPORT, "failed to get metadata"))
    assert heard.refused is not None


def test_a_broker_that_went_away_has_not_refused_us() -> None:
    heard = Heard()
    heard(KafkaError(KafkaError._TRANSPORT, "disconnected"))
    assert heard.refused is None
