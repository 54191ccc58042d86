"""What a run has read of a log, and nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from connectors.history.source import HistorySource
from connectors.log.again import from_there
from connectors.log.offsets import State
from connectors.log.source import LogSource
from connectors.window import Window
from infra.running.sources import FromHistory, FromKafka, FromLog, Share
from infra.settings import Settings

AnyLog: TypeAlias = FromLog | FromKafka | FromHistory


@dataclass(frozen=True)
class AsRead:
    """A log, from where a run began, or stood at an earlier time, to where it was kept.

    Parameters
    ----------
    log
        Which one.
    kept
        What the run kept of each partition.
    since
        What it had kept of those that are read from an earlier time on.

    """

    log: AnyLog
    kept: Mapping[str, State]
    since: Mapping[str, State] = field(default_factory=dict)
    option: ClassVar[str] = "--as"
    endless: ClassVar[bool] = False

    def open(
        self, settings: Settings, share: Share, batch: int, window: Window
    ) -> LogSource | HistorySource:
        """Open the partitions of a share."""
        source = self.log.open(settings, share, batch, window)
        earlier = {name: from_there(self.kept[name], state) for name, state in self.since.items()}
        source.again({**self.kept, **earlier})
        return source

    def options(self) -> dict[str, str]:
        """Return what the log was given."""
        return self.log.options()

    def name(self, settings: Settings) -> str:
        """Return what the log is called."""
        return self.log.name(settings)

    def gone(self, parts: list[str]) -> str:
        """Say that it is another log."""
        return self.log.gone(parts)
