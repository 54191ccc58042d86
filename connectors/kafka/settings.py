"""How to reach Kafka: addresses, a user, certificates, and the topic of the market log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from typing_extensions import Self

from connectors.log.log import LogError

Options: TypeAlias = dict[str, Any]
"""librdkafka's, by their names."""

_log = logging.getLogger("tapedeck.kafka")
_log.addHandler(logging.NullHandler())
_log.propagate = False
"""What librdkafka would print, thousands of lines in an outage, it tells us, too."""

_TLS = frozenset({"SSL", "SASL_SSL"})
_SASL = frozenset({"SASL_PLAINTEXT", "SASL_SSL"})
MARKET = "market"
"""The topic of the market log, where none is named."""
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_FILES = {"KAFKA_CA": "ca", "KAFKA_CERTIFICATE": "certificate", "KAFKA_KEY": "key"}


@dataclass(frozen=True)
class KafkaSettings:
    """What is needed to reach Kafka. The repr tells no user and no password.

    Parameters
    ----------
    bootstrap
        `host:port`, several with commas between.
    topic
        That of the market log. What cannot be read goes to `topic.dead`; orders have a topic of
        their own.
    protocol
        One of `PROTOCOLS`.
    mechanism, username, password
        Of a `SASL_...` protocol; the mechanism is one of `MECHANISMS`.
    ca, certificate, key
        PEM files for an `...SSL` protocol: who is trusted (else those the system trusts), and who
        we are, if the broker asks for it.

    Examples
    --------
    >>> KafkaSettings("broker:9092", username="deck", password="secret")
    KafkaSettings(bootstrap='broker:9092', topic='market', protocol='PLAINTEXT', mechanism=None)

    """

    bootstrap: str
    topic: str = MARKET
    protocol: str = "PLAINTEXT"
    mechanism: str | None = None
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    ca: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """Read the `KAFKA_...` variables; without `KAFKA_BOOTSTRAP` there is no Kafka.

        Examples
        --------
        >>> KafkaSettings.from_environment({"KAFKA_BOOTSTRAP": "b:9092", "KAFKA_TOPIC": "test"})
        KafkaSettings(bootstrap='b:9092', topic='test', protocol='PLAINTEXT', mechanism=None)

        """
        if not (bootstrap := environment.get("KAFKA_BOOTSTRAP")):
            return None
        return cls(
            bootstrap,
            topic=environment.get("KAFKA_TOPIC") or MARKET,
            protocol=environment.get("KAFKA_SECURITY_PROTOCOL") or "PLAINTEXT",
            mechanism=environment.get("KAFKA_SASL_MECHANISM") or None,
            username=environment.get("KAFKA_USERNAME") or None,
            password=environment.get("KAFKA_PASSWORD") or None,
            ca=environment.get("KAFKA_CA") or None,
            certificate=environment.get("KAFKA_CERTIFICATE") or None,
            key=environment.get("KAFKA_KEY") or None,
        )

    @property
    def dead(self) -> str:
        """The topic of what cannot be read."""
        return f"{self.topic}.dead"

    @property
    def orders(self) -> str:
        """The topic of the order queue; that of another market log is another one.

        Examples
        --------
        >>> KafkaSettings("broker:9092").orders, KafkaSettings("broker:9092", topic="test").orders
        ('orders', 'test.orders')

        """
        return "orders" if self.topic == MARKET else f"{self.topic}.orders"

    def options(self) -> Options:
        """Return what librdkafka must be told.

        Raises
        ------
        LogError
            When the settings do not go together.

        """
        self._check()
        given = {
            "security.protocol": self.protocol,
            "sasl.mechanism": self.mechanism,
            "sasl.username": self.username,
            "sasl.password": self.password,
            "ssl.ca.location": self.ca,
            "ssl.certificate.location": self.certificate,
            "ssl.key.location": self.key,
        }
        return {
            "bootstrap.servers": self.bootstrap,
            "client.id": "tapedeck",
            "logger": _log,
            "log_level": 0,
            "reconnect.backoff.max.ms": 1_000,  # soon there again when an outage is over
            **{name: value for name, value in given.items() if value},
        }

    def _check(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise _wrong("KAFKA_SECURITY_PROTOCOL", self.protocol, f"one of {_any_of(PROTOCOLS)}")
        self._check_user()
        self._check_certificates()

    def _check_user(self) -> None:
        if self.protocol not in _SASL:
            if self.username or self.password or self.mechanism:
                raise LogError(
                    f"a user for Kafka is set, but KAFKA_SECURITY_PROTOCOL is {self.protocol}, "
                    f"which has none: set it to SASL_SSL, or unset KAFKA_SASL_MECHANISM, "
                    f"KAFKA_USERNAME and KAFKA_PASSWORD"
                )
            return
        if self.mechanism not in MECHANISMS:
            mechanism = self.mechanism or "not set"
            raise _wrong("KAFKA_SASL_MECHANISM", mechanism, f"one of {_any_of(MECHANISMS)}")
        if not (self.username and self.password):
            raise LogError(
                f"KAFKA_SECURITY_PROTOCOL is {self.protocol}: set KAFKA_USERNAME and KAFKA_PASSWORD"
            )

    def _check_certificates(self) -> None:
        if bool(self.certificate) != bool(self.key):
            raise LogError("KAFKA_CERTIFICATE and KAFKA_KEY go together: set both, or none")
        for variable, name in _FILES.items():
            path: str | None = getattr(self, name)
            if path and self.protocol not in _TLS:
                raise LogError(
                    f"{variable} is set, but KAFKA_SECURITY_PROTOCOL is {self.protocol}, which is "
                    f"not encrypted: set it to SSL or SASL_SSL, or unset {variable}"
                )
            if path and not Path(path).is_file():
                raise LogError(f"{variable}={path}: no such file")


def _wrong(variable: str, value: str, right: str) -> LogError:
    return LogError(f"{variable} is {value}: it must be {right}")


def _any_of(names: tuple[str, ...]) -> str:
    return ", ".join(names)
