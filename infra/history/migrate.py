"""Brings a history's tables up to date: plain SQL files, each applied once, in order."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clickhouse_connect.driver.client import Client

from infra.history.home import HistoryError

MIGRATIONS = Path(__file__).parents[1] / "migrations"

_TABLE = """
CREATE TABLE migrations (
    name String,
    sha256 String,
    applied DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC')
) ENGINE = ReplacingMergeTree(applied) ORDER BY name
"""
# Not by `insert`, which imports pandas to look whether it is given a frame.
_APPLIED = "INSERT INTO migrations (name, sha256) SELECT {name:String}, {sha256:String}"
_NAME = re.compile(r"\d{4}_\w+")
_PARTS = re.compile(r"""('(?:[^'\\]|\\.|'')*'|"[^"]*"|`[^`]*`|--[^\n]*|/\*.*?\*/|;)""", re.DOTALL)


class MigrationError(HistoryError):
    """The tables cannot be brought up to date; the text says why, and what to do."""


@dataclass(frozen=True)
class Migration:
    """One file: its name without `.sql`, and its text."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """The text's fingerprint, kept with the name when it is applied."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read(directory: Path = MIGRATIONS) -> list[Migration]:
    """Return the migrations of a directory, in order; `NNNN_name.sql`, each number once."""
    found = [Migration(p.stem, p.read_text()) for p in sorted(directory.glob("*.sql"))]
    numbers = [m.name[:4] for m in found]
    for migration in found:
        if not _NAME.fullmatch(migration.name) or numbers.count(migration.name[:4]) > 1:
            raise MigrationError(f"{migration.name}.sql: name it NNNN_name.sql, each number once")
    return found


def pending(known: Sequence[Migration], applied: dict[str, str]) -> list[Migration]:
    """Return what is still to be applied.

    Parameters
    ----------
    known
        The migrations of this version.
    applied
        Name and fingerprint of those the history has.

    Raises
    ------
    MigrationError
        The history has one that is unknown or different here, or lacks one before its last.

    """
    if newer := sorted(set(applied) - {m.name for m in known}):
        raise MigrationError(
            f"history is from a newer Tapedeck (it has {', '.join(newer)}): upgrade Tapedeck, or "
            f"keep a separate history with TAPEDECK_HOME or another database in CLICKHOUSE_URL"
        )
    for migration in known:
        if applied.get(migration.name, migration.sha256) != migration.sha256:
            raise MigrationError(
                f"{migration.name}.sql was changed after it was applied: restore the file and put "
                f"the change into a new one, or keep a separate history with TAPEDECK_HOME"
            )
    todo = [m for m in known if m.name not in applied]
    if todo and applied and todo[0].name < max(applied):
        raise MigrationError(
            f"{todo[0].name}.sql comes before {max(applied)}, which is applied: "
            f"give it a new number"
        )
    return todo


def run(client: Client, known: Sequence[Migration] | None = None) -> list[str]:
    """Apply what is pending and return the names. Twice is as good as once.

    A file that fails half-way is applied again from its start, so each of its statements must
    bear repetition (`IF NOT EXISTS`).

    Parameters
    ----------
    client
        One that may make tables; if all is applied, one that may read.
    known
        The migrations; None reads those of this version.

    """
    if not client.command("EXISTS TABLE migrations"):
        client.command(_TABLE)
    rows = client.query("SELECT name, sha256 FROM migrations FINAL").result_rows
    todo = pending(read() if known is None else known, {str(name): str(sha) for name, sha in rows})
    for migration in todo:
        for statement in statements(migration.text):
            client.command(statement)
        client.command(_APPLIED, {"name": migration.name, "sha256": migration.sha256})
    return [migration.name for migration in todo]


def statements(text: str) -> Iterator[str]:
    r"""Yield the statements of a file, without their semicolons.

    Examples
    --------
    >>> list(statements("SELECT ';'; -- not; here\nSELECT 2;"))
    ["SELECT ';'", '-- not; here\nSELECT 2']

    """
    parts: list[str] = []
    for part in [*_PARTS.split(text), ";"]:
        if part != ";":
            parts.append(part)
            continue
        statement = "".join(parts).strip()
        parts = []
        if re.sub(r"--[^\n]*|/\*.*?\*/", "", statement, flags=re.DOTALL).strip():
            yield statement
