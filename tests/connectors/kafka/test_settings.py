"""Settings of Kafka: what goes together, and that no secret is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.log.log import LogError

SASL = {
    "KAFKA_BOOTSTRAP": "broker:9092",
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "KAFKA_USERNAME": "the-user",
    "KAFKA_PASSWORD": "the-password",
}


def settings(**changed: str) -> KafkaSettings:
    found = KafkaSettings.from_environment({**SASL, **changed})
    assert found is not None
    return found


def test_without_an_address_there_is_no_kafka() -> None:
    assert KafkaSettings.from_environment({}) is None
    assert KafkaSettings.from_environment({**SASL, "KAFKA_BOOTSTRAP": ""}) is None


def test_what_is_set_reaches_librdkafka(tmp_path: Path) -> None:
    file = tmp_path / "file.pem"
    file.touch()
    names = ("KAFKA_CA", "KAFKA_CERTIFICATE", "KAFKA_KEY")
    options = settings(**dict.fromkeys(names, str(file))).options()
    assert (
        options.items()
        >= {
            "bootstrap.servers": "broker:9092",
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": "the-user",
            "sasl.password": "the-password",
            "ssl.ca.location": str(file),
            "ssl.certificate.location": str(file),
            "ssl.key.location": str(file),
        }.items()
    )


def test_what_is_not_set_is_not_told_to_librdkafka() -> None:
    options = KafkaSettings("broker:9092").options()
    assert not [name for name in options if name.startswith(("sasl.", "ssl."))]


def test_the_topic_has_one_for_dead_letters() -> None:
    assert (settings().topic, settings().dead) == ("market", "market.dead")
    assert settings(KAFKA_TOPIC="other").dead == "other.dead"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL is TLS: it must be one of"),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL"}, "is SSL, which has none: set it to SASL_SSL"),
        ({"KAFKA_SECURITY_PROTOCOL": ""}, "is PLAINTEXT, which has none"),
        ({"KAFKA_SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM is GSSAPI: it must be one of"),
        ({"KAFKA_SASL_MECHANISM": ""}, "KAFKA_SASL_MECHANISM is not set: it must be one of"),
        ({"KAFKA_PASSWORD": ""}, "set KAFKA_USERNAME and KAFKA_PASSWORD"),
        ({"KAFKA_USERNAME": ""}, "set KAFKA_USERNAME and KAFKA_PASSWORD"),
        ({"KAFKA_KEY": "key.pem"}, "KAFKA_CERTIFICATE and KAFKA_KEY go together"),
        ({"KAFKA_CA": "none.pem"}, "KAFKA_CA=none.pem: no such file"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_CA": "ca.pem"},
            "KAFKA_CA is set, but KAFKA_SECURITY_PROTOCOL is SASL_PLAINTEXT",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_with_what_to_change(
    changed: dict[str, str], said: str
) -> None:
    with pytest.raises(LogError, match=said) as refused:
        settings(**changed).options()
    assert "the-password" not in str(refused.value)


def test_no_secret_is_told() -> None:
    assert "the-" not in repr(settings())
    assert "the-" not in str(settings())
