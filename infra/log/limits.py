"""What the embedded log was told to keep; it holds until it is told otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from math import isfinite
from pathlib import Path

import orjson

from connectors.log.file import explained
from connectors.log.keeper import Keep
from connectors.log.log import LogError
from connectors.recordings.stretch import archived
from schemas import DAY

_FILE = "limits.json"
_GIGABYTE = 10**9


@dataclass(frozen=True)
class Limits:
    """How much a log keeps.

    Parameters
    ----------
    days, gigabytes
        For how long, and how much; 0 is without end.
    archive
        A directory of recordings: what is not in it yet is kept, however much it is.

    """

    days: float = 7.0
    gigabytes: float = 10.0
    archive: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("days", self.days), ("gigabytes", self.gigabytes)):
            if not (isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be 0 or more, not {value}")

    def keep(self) -> Keep:
        """Return it as the log's writer takes it."""
        return Keep(
            age=round(self.days * DAY) or None,
            size=round(self.gigabytes * _GIGABYTE) or None,
            archived=partial(archived, Path(self.archive)) if self.archive else None,
        )


def load(directory: Path) -> Limits:
    """Return what a log was told to keep."""
    path = directory / _FILE
    with explained(directory):
        if not path.exists():
            return Limits()
        try:
            return Limits(**orjson.loads(path.read_bytes()))
        except (TypeError, ValueError) as error:
            raise LogError(f"{path} cannot be read ({error}): remove it, and say anew") from None


def save(directory: Path, limits: Limits) -> None:
    """Note what a log is to keep."""
    path = directory / _FILE
    with explained(directory):
        part = path.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_bytes(orjson.dumps(asdict(limits)))
        part.replace(path)
