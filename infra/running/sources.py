"""Where a tape is read: files, the embedded log, Kafka or history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol, TypeAlias

from clickhouse_connect.driver.client import Client

from connectors.history.clickhouse import Connect
from connectors.history.earlier import Earlier
from connectors.history.source import HistorySource
from connectors.kafka.log import KafkaLog
from connectors.log.log import Log, LogError
from connectors.log.source import LogSource
from connectors.log.sqlite_log import SqliteLog
from connectors.recordings.replay import Replay
from connectors.window import Window
from infra.history.history import History as Server
from infra.history.home import HistoryError
from infra.log.log import MarketLog
from infra.settings import Settings

Share: TypeAlias = tuple[int, int]
"""`(k, n)`: what process `k` of `n` has of it."""


Source: TypeAlias = Replay | LogSource | HistorySource


class Origin(Protocol):
    """Where a tape is read. It pickles, so that each process can be told."""

    option: ClassVar[str]
    """What the command calls it."""

    @property
    def endless(self) -> bool:
        """Whether it ends only when it is stopped."""
        ...

    def open(self, settings: Settings, share: Share, batch: int, window: Window) -> Source:
        """Open a share of it."""
        ...

    def options(self) -> dict[str, str]:
        """Return what else it was given: a run that goes on must be given the same."""
        ...

    def name(self, settings: Settings) -> str:
        """Return what the table of runs calls it."""
        ...

    def gone(self, parts: list[str]) -> str:
        """Say that these parts were read, and are not there any more; and what to do."""
        ...


@dataclass(frozen=True)
class Files:
    """Recorded files.

    Parameters
    ----------
    paths
        Files, and directories of them.
    market, columns
        As `Replay` takes them.

    """

    paths: tuple[Path, ...]
    market: str | Mapping[str, str] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    option: ClassVar[str] = "--data"
    endless: ClassVar[bool] = False

    def open(self, settings: Settings, share: Share, batch: int, window: Window) -> Replay:
        """Open those of a share."""
        return Replay(self.paths, self.market, self.columns or None, batch, share, window=window)

    def options(self) -> dict[str, str]:
        """Return what names are given; not the files, for more may come to stand behind them."""
        return {"--market": _typed(self.market), "--column": _typed(self.columns)}

    def name(self, settings: Settings) -> str:
        """Return the paths."""
        return ", ".join(map(str, self.paths))

    def gone(self, parts: list[str]) -> str:
        """Say which files are missing."""
        return (
            f"was made with data that begins at {', '.join(parts)}: give it the same files (more "
            f"may stand behind them)"
        )


@dataclass(frozen=True)
class FromLog:
    """The embedded log.

    Parameters
    ----------
    directory
        The log's; `None` means that of this installation.
    follow
        Whether to wait for more at its end.
    fed
        The file that is there as soon as nothing more will come; None if there is no end.
    past
        Whether history has for it what it does not keep any more.

    """

    directory: Path | None = None
    follow: bool = False
    fed: Path | None = None
    past: bool = False
    option: ClassVar[str] = "--from-log"

    @property
    def endless(self) -> bool:
        """Whether it is followed, and has no end."""
        return self.follow and self.fed is None

    def log(self, settings: Settings) -> Log:
        """Open the log itself."""
        return SqliteLog(self._place(settings))

    def open(self, settings: Settings, share: Share, batch: int, window: Window) -> LogSource:
        """Open the partitions of a share."""
        log = self.log(settings)
        if self.fed is None:
            earlier = Earlier(reader(settings), _named(log), window) if self.past else None
            return LogSource(log, share, batch, self.follow, window, earlier=earlier)
        return LogSource(log, share, batch, self.follow, window, over=self.fed.exists)

    def options(self) -> dict[str, str]:
        """Return nothing: the log is known by its partitions, wherever it is."""
        return {}

    def name(self, settings: Settings) -> str:
        """Return its directory."""
        return f"log {self._place(settings)}"

    def gone(self, parts: list[str]) -> str:
        """Say that it is another log."""
        return _another_log(parts)

    def _place(self, settings: Settings) -> Path:
        return self.directory or MarketLog(settings).directory


@dataclass(frozen=True)
class FromKafka:
    """Kafka, as the environment names it.

    Parameters
    ----------
    follow
        Whether to wait for more at its end.
    past
        Whether history has for it what it does not keep any more.

    """

    follow: bool = False
    past: bool = False
    option: ClassVar[str] = "--from-kafka"

    @property
    def endless(self) -> bool:
        """Whether it is followed."""
        return self.follow

    def log(self, settings: Settings) -> Log:
        """Open the log itself.

        Raises
        ------
        LogError
            When the environment names none.

        """
        if settings.kafka is None:
            raise LogError(
                "--from-kafka: set KAFKA_BOOTSTRAP to the addresses of Kafka, such as "
                "localhost:9092"
            )
        return KafkaLog(settings.kafka)

    def open(self, settings: Settings, share: Share, batch: int, window: Window) -> LogSource:
        """Open the partitions of a share; see `log`."""
        log = self.log(settings)
        earlier = Earlier(reader(settings), _named(log), window) if self.past else None
        return LogSource(log, share, batch, self.follow, window, earlier=earlier)

    def options(self) -> dict[str, str]:
        """Return nothing: the log is known by its partitions."""
        return {}

    def name(self, settings: Settings) -> str:
        """Return the topic."""
        return f"kafka topic {settings.kafka.topic if settings.kafka else ''}"

    def gone(self, parts: list[str]) -> str:
        """Say that it is another log."""
        return _another_log(parts)


@dataclass(frozen=True)
class FromHistory:
    """What history keeps of a log.

    Parameters
    ----------
    log
        Its name; may be left out where there is one.

    """

    log: str = ""
    option: ClassVar[str] = "--from-clickhouse"
    endless: ClassVar[bool] = False

    def open(self, settings: Settings, share: Share, batch: int, window: Window) -> HistorySource:
        """Open the partitions of a share."""
        return HistorySource(reader(settings), self.log, share, batch, window)

    def options(self) -> dict[str, str]:
        """Return nothing: the log is known by its partitions."""
        return {}

    def name(self, settings: Settings) -> str:
        """Return the log's name."""
        return f"history, log {self.log or 'not named'}"

    def gone(self, parts: list[str]) -> str:
        """Say that it is another log."""
        return _another_log(parts)


def reader(settings: Settings) -> Connect:
    """Return what connects to history, to read."""

    def connect() -> Client:
        try:
            return Server(settings).client("reader")
        except HistoryError as error:
            raise ConnectionError(str(error)) from error

    return connect


def _named(log: Log) -> str:
    """Return the name of a log, which its partitions begin with."""
    return log.partitions()[0].rpartition("/")[0]


def _another_log(parts: list[str]) -> str:
    return (
        f"was made with a log that has the partition {parts[0]}, and this one has not: give it the "
        f"same log"
    )


def _typed(given: str | Mapping[str, str] | None) -> str:
    if isinstance(given, Mapping):
        return " ".join(f"{one}={other}" for one, other in given.items())
    return given or ""
