"""The embedded ClickHouse (chDB) with three roles, each request in a session of its own."""

import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import chdb

from infra.history.guard import FUNCTIONS, Guard, Role, Statement, check_settings
from infra.history.home import DATABASE, FINAL

_SEEN = "SELECT, SHOW TABLES, SHOW COLUMNS, SHOW DATABASES"
_MADE = "CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, ALTER, TRUNCATE"
GRANTS: dict[Role, list[str]] = {
    "reader": [f"GRANT {_SEEN} ON {DATABASE}.*"],
    "writer": [
        f"GRANT {_SEEN}, INSERT ON {DATABASE}.*",
        f"REVOKE INSERT ON {DATABASE}.migrations",
    ],
    "owner": [f"GRANT {_SEEN}, INSERT, {_MADE}, OPTIMIZE ON {DATABASE}.*"],
}
"""What each role may do, enforced by ClickHouse. None may touch a file, a URL or another source."""

_COPIER = "copier"
"""The role that writes copies into files; no user has it."""
_COPIES = [f"GRANT BACKUP ON {DATABASE}.*", "GRANT WRITE ON FILE"]

_MEMORY = 0.5
"""Of the machine's: history must not take it from the flows."""

_STREAMED = {"Native", "TabSeparated", "TSV", "TSVRaw", "TabSeparatedRaw", "CSV", "JSONEachRow"} | {
    "RowBinary",
    "JSONCompactEachRow",
}
"""Formats of which pieces, put behind one another, are the whole."""


class _Result(Protocol):
    """What chDB gives back, in the part we need."""

    def bytes(self) -> bytes: ...
    def get_memview(self) -> "_View": ...
    def rows_read(self) -> int: ...
    def rows_written(self) -> int: ...
    def bytes_written(self) -> int: ...
    def storage_rows_read(self) -> int: ...
    def storage_bytes_read(self) -> int: ...


class _View(Protocol):
    def size(self) -> int: ...
    def view(self) -> memoryview: ...


class _Stream(Protocol):
    def fetch(self) -> "_Result | None": ...
    def cancel(self) -> None: ...


class _InsertResult(Protocol):
    rows_written: int
    bytes_written: int


class _Inserter(Protocol):
    def append(self, data: bytes) -> None: ...
    def finish(self) -> _InsertResult: ...
    def cancel(self) -> None: ...


class _Connection(Protocol):
    def query(self, query: str, format: str, params: Mapping[str, str]) -> _Result: ...  # noqa: A002 - chDB's name
    def send_query(self, query: str, format: str, params: Mapping[str, str]) -> _Stream: ...  # noqa: A002 - chDB's name
    def send_insert(self, query: str, format: str) -> _Inserter: ...  # noqa: A002 - chDB's name
    def close(self) -> None: ...


@dataclass(frozen=True)
class Summary:
    """What a statement read and wrote, as ClickHouse counts it."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0


@dataclass(frozen=True)
class Answer:
    """The outcome of a statement: its format and pieces, which may still be coming."""

    format: str
    pieces: Iterator[memoryview | bytes]
    summary: Summary
    size: int | None = 0
    """Bytes of all pieces; None while they are still coming."""


class Engine:
    """One embedded ClickHouse in the current directory; there can be one in a process.

    Parameters
    ----------
    name
        The directory of the data below the current one. Relative, because chDB takes its settings
        behind a `?` of the same string.

    """

    def __init__(self, name: str = "data") -> None:
        _configure()
        self._where = f"{name}?config-file=config.xml&log-level=none"
        # Keeps the engine open: it closes with its last connection.
        self._first = self._connect()
        self._run(self._first, f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
        combinators = _rows(self._first, "SELECT name FROM system.aggregate_function_combinators")
        self._guard = Guard(_rows(self._first, FUNCTIONS), [name for [name] in combinators])
        [[self.version]] = _rows(self._first, "SELECT version()")

    def session(self) -> "Session":
        """Open a session, 0.2 ms: nothing set in it outlives it or is seen by another."""
        return Session(self._connect(), self._guard)

    def copy(self, where: Path) -> None:
        """Copy the database, as it is now, into a directory that is not there yet."""
        with closing(self._connect()) as connection:
            self._run(connection, f"SET ROLE {_COPIER}")
            self._run(connection, f"BACKUP DATABASE {DATABASE} TO File({_quoted(str(where))})")

    def kill(self, tag: str) -> None:
        """Stop the statement of the session with this tag; every statement if it is empty."""
        which = f"Settings['log_comment'] = {_quoted(tag)}" if tag else "query_id != queryID()"
        with closing(self._connect()) as connection:
            self._run(connection, f"KILL QUERY WHERE {which} ASYNC")

    def close(self) -> None:
        """Close the engine, and with it the files."""
        self._first.close()

    def _connect(self) -> _Connection:
        return cast(_Connection, chdb.connect(self._where))

    @staticmethod
    def _run(connection: _Connection, sql: str) -> None:
        connection.query(sql, "Null", {})


class Session:
    """One request's session: a role and settings, then one statement.

    Errors are `RuntimeError` with ClickHouse's own text, or `Refused`.
    """

    def __init__(self, connection: _Connection, guard: Guard) -> None:
        self._connection = connection
        self._guard = guard
        self._array = False
        """Whether rows of JSON are one array: pieces of it would each be one."""
        self.tag = secrets.token_hex(8)

    def prepare(self, text: str, role: Role) -> Statement:
        """Decide about a statement; before `enter`, so that no setting can bend the decision."""
        return self._guard.check(text, role, self._ask)

    def enter(self, role: Role, database: str, settings: Mapping[str, str]) -> None:
        """Take a role, a database for names without one, and settings, for good."""
        check_settings(list(settings), role)
        self._array = settings.get("output_format_json_array_of_rows", "0") != "0"
        own = {"log_comment": self.tag, "allow_introspection_functions": "0"}
        if role == "reader":
            # Not 1: clients then hold every setting for locked, `final` too. The guard has a list.
            own["readonly"] = "2"
        values = ", ".join(f"{name} = {_quoted(v)}" for name, v in {**settings, **own}.items())
        for sql in (f"USE {_name(database)}", f"SET ROLE {role}", f"SET {values}"):
            self._connection.query(sql, "Null", {})

    def run(
        self, statement: Statement, form: str, params: Mapping[str, str], whole: bool
    ) -> Answer:
        """Run a statement.

        Parameters
        ----------
        statement, params
            What to run, and the values of its parameters as HTTP has them.
        form
            The format, where the statement names none.
        whole
            Wait for the end, so that an error is known before the first byte.

        """
        form = statement.format or form
        if whole or self._array or form not in _STREAMED or not _reads(statement.sql):
            result = self._connection.query(statement.sql, form, params)
            memory = result.get_memview()
            return Answer(form, _held(result, memory), _summary(result), memory.size())
        stream = self._connection.send_query(statement.sql, form, params)
        first = stream.fetch()
        return Answer(form, _pieces(stream, first), Summary(), None)

    def insert(self, statement: Statement, pieces: Iterable[bytes]) -> Answer:
        """Insert rows as they come; nothing of a broken request is left in part."""
        form = statement.format or "Values"
        inserter = self._connection.send_insert(statement.sql, form)
        try:
            for piece in pieces:
                inserter.append(piece)
        except BaseException:
            inserter.cancel()
            raise
        done = inserter.finish()
        rows, size = done.rows_written, done.bytes_written
        return Answer(form, iter(()), Summary(written_rows=rows, written_bytes=size))

    def close(self) -> None:
        """End the session, and a statement that still runs in it."""
        self._connection.close()

    def _ask(self, sql: str, params: Mapping[str, str]) -> list[list[str]]:
        return _rows(self._connection, sql, params)


def _rows(
    connection: _Connection, sql: str, params: Mapping[str, str] | None = None
) -> list[list[str]]:
    answer = connection.query(sql, "JSONCompactEachRow", params or {}).bytes()
    return [json.loads(line) for line in answer.splitlines()]


def _held(result: _Result, memory: _View) -> Iterator[memoryview]:
    """Yield the bytes of a result, which must outlive them: a view of chDB's does not hold it."""
    yield memory.view()
    del memory, result


def _pieces(stream: _Stream, first: _Result | None) -> Iterator[bytes]:
    try:
        piece = first
        while piece is not None:
            yield piece.bytes()
            piece = stream.fetch()
    finally:
        stream.cancel()


def _summary(result: _Result) -> Summary:
    return Summary(
        result.storage_rows_read(),
        result.storage_bytes_read(),
        result.rows_written(),
        result.bytes_written(),
        result.rows_read(),
    )


def _reads(sql: str) -> bool:
    return re.match(r"[\s(]*(SELECT|WITH)\b", sql, re.IGNORECASE) is not None


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _name(database: str) -> str:
    escaped = database.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _configure() -> None:
    """Write the engine's configuration. Its one user has no right but those of a role it takes."""
    roles = "".join(
        f"<{role}><grants><query>{'</query><query>'.join(lines)}</query></grants></{role}>"
        for role, lines in [*GRANTS.items(), (_COPIER, _COPIES)]
    )
    final = "".join(f"<{name}>{value}</{name}>" for name, value in FINAL.items())
    user = (
        f"<password/><networks><ip>::/0</ip></networks><profile>default</profile>"
        f"<quota>default</quota>"
        f"<grants><query>GRANT {', '.join((*GRANTS, _COPIER))}</query></grants>"
    )
    Path("users.xml").write_text(
        f"<clickhouse><profiles><default>{final}</default></profiles><quotas><default/></quotas>"
        f"<roles>{roles}</roles><users><default>{user}</default></users></clickhouse>\n"
    )
    Path("config.xml").write_text(
        f"<clickhouse><users_config>users.xml</users_config>"
        f"<max_server_memory_usage_to_ram_ratio>{_MEMORY}</max_server_memory_usage_to_ram_ratio>"
        f"<timezone>UTC</timezone><backups><allowed_path>/</allowed_path></backups></clickhouse>\n"
    )
