"""What the environment says, read once and in one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectors.kafka_settings import KafkaSettings

HOME = ".tapedeck"
"""Where everything local is kept, below the current directory."""


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
    kafka
        How to reach Kafka; None means there is none.

    """

    home: Path
    clickhouse_url: str | None = None
    exchange_urls: Mapping[str, str] = field(default_factory=dict)
    kafka: KafkaSettings | None = None

    def __repr__(self) -> str:
        # The URL holds a password.
        where = "set" if self.clickhouse_url else "none"
        return f"Settings(home={str(self.home)!r}, clickhouse_url=<{where}>)"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read `TAPEDECK_HOME`, `CLICKHOUSE_URL`, `EXCHANGE_URLS` and `KAFKA_...`; empty is none.

        `EXCHANGE_URLS` is like `binance=http://localhost:9000 okx=http://localhost:9001`.

        Examples
        --------
        >>> Settings.from_environment({"TAPEDECK_HOME": "/data/deck"})
        Settings(home='/data/deck', clickhouse_url=<none>)

        """
        home = environment.get("TAPEDECK_HOME") or HOME
        urls = (place.partition("=") for place in environment.get("EXCHANGE_URLS", "").split())
        return cls(
            Path(home).expanduser().absolute(),
            environment.get("CLICKHOUSE_URL") or None,
            {exchange: url for exchange, _, url in urls},
            KafkaSettings.from_environment(environment),
        )
