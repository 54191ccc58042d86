"""What the environment says, read once and in one place."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from connectors.kafka.settings import KafkaSettings
from infra.notices.settings import NotifySettings

_LIKE = {"EXCHANGE_URLS": "binance=http://localhost:9000", "EXCHANGE_KEYS": "binance=KEY"}
HOME = ".tapedeck"
"""Where everything local is kept, below the current directory."""


class SettingsError(ValueError):
    """A variable that cannot be what it is; its text shows none of it, for it may be a secret."""


@dataclass(frozen=True)
class Settings:
    """Where this installation keeps its files, and which ClickHouse it talks to.

    Parameters
    ----------
    home
        The directory of everything local; absolute.
    clickhouse_url
        A real server's `http[s]://user:password@host:port/database`; None means the embedded one.
    exchange_urls
        Where to find exchanges instead of at their own addresses, such as a stand-in or a proxy.
    live
        What `TAPEDECK_LIVE` says: the second of the two switches in front of real money.
    exchange_keys
        API keys that may read market data, for what an exchange does not tell without one.
    metrics_host
        Where metrics are published: this machine only, but in a container, whose ports are shut.
    notify
        Where notices go, and with which keys.
    kafka
        How to reach Kafka; None means there is none.

    """

    home: Path
    clickhouse_url: str | None = None
    exchange_urls: Mapping[str, str] = field(default_factory=dict)
    kafka: KafkaSettings | None = None
    exchange_keys: Mapping[str, str] = field(default_factory=dict)
    live: str = ""
    metrics_host: str = "127.0.0.1"
    notify: NotifySettings = field(default_factory=NotifySettings)

    def __repr__(self) -> str:
        # The URL holds a password, and keys are secrets.
        where = "set" if self.clickhouse_url else "none"
        return f"Settings(home={str(self.home)!r}, clickhouse_url=<{where}>)"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be seen anywhere.

        Examples
        --------
        >>> Settings(Path(), "http://me:word@host:8123/db", exchange_keys={"okx": "KEY"}).secrets
        ('KEY', 'word')

        """
        password = None
        with suppress(ValueError):  # whoever connects tells what is wrong with it
            password = urlsplit(self.clickhouse_url or "").password
        kafka = None if self.kafka is None else self.kafka.password
        return tuple(
            filter(None, (*self.exchange_keys.values(), password, kafka, *self.notify.secrets))
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read `TAPEDECK_...`, `CLICKHOUSE_URL`, `EXCHANGE_...` and `KAFKA_...`; empty is none.

        `EXCHANGE_URLS` is like `binance=http://localhost:9000 okx=http://localhost:9001`, and
        `EXCHANGE_KEYS` like `binance=KEY`.

        Raises
        ------
        SettingsError
            When what is for exchanges does not look so: it would be left out, or go to the others;
        when a webhook is no address.

        Examples
        --------
        >>> Settings.from_environment({"TAPEDECK_HOME": "/data/deck"})
        Settings(home='/data/deck', clickhouse_url=<none>)

        """
        home = environment.get("TAPEDECK_HOME") or HOME
        notify = NotifySettings.from_environment(environment)
        if notify.webhook and not _is_address(notify.webhook):
            raise SettingsError("TAPEDECK_NOTIFY_WEBHOOK is no address: one begins with https://")
        return cls(
            Path(home).expanduser().absolute(),
            environment.get("CLICKHOUSE_URL") or None,
            _by_exchange(environment, "EXCHANGE_URLS", "http://", "https://"),
            KafkaSettings.from_environment(environment),
            _by_exchange(environment, "EXCHANGE_KEYS"),
            environment.get("TAPEDECK_LIVE", ""),
            environment.get("TAPEDECK_METRICS_HOST") or "127.0.0.1",
            notify,
        )


def _is_address(text: str) -> bool:
    with suppress(ValueError):
        return text.startswith(("http://", "https://")) and bool(urlsplit(text).hostname)
    return False


def _by_exchange(environment: Mapping[str, str], name: str, *starts: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in environment.get(name, "").split():
        exchange, _, value = word.partition("=")
        good = exchange.isalnum() and exchange not in found and value and "," not in value
        if not good or not value.startswith(starts or ""):
            raise SettingsError(
                f"{name}: word {len(found) + 1} is not like {_LIKE[name]}, each exchange once and "
                f"blanks between"
            )
        found[exchange] = value
    return found
