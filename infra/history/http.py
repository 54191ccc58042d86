"""ClickHouse's HTTP protocol, in the part that clients use, as functions of headers and bytes."""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from email import policy
from email.parser import BytesParser
from urllib.parse import parse_qsl, urlsplit

from infra.history.body import BadRequest
from infra.history.engine import Summary
from infra.history.guard import Role
from infra.history.home import DATABASE

MAX_QUERY = 1 << 20
"""Bytes of a statement, or of a form; as large as ClickHouse's own `max_query_size` times four."""

_TRANSPORT = {
    "buffer_size", "client_protocol_version", "compress", "decompress", "default_format",
    "password", "query", "query_id", "quota_key", "role", "session_check", "session_id",
    "session_timeout", "stacktrace", "user", "wait_end_of_query",
}  # fmt: skip
"""What a URL may hold besides settings. Sessions are not kept, so their names mean nothing."""

_INSERT = re.compile(rb"(?:\s|--[^\n]*\n|/\*.*?\*/)*INSERT\b", re.IGNORECASE | re.DOTALL)
_ROWS = re.compile(rb"\s*\bFORMAT\s+(?P<format>\w+)[ \t]*\r?\n?|\bVALUES\b", re.IGNORECASE)

_STATUS = {"516": 403, "497": 403, "164": 403, "60": 404, "81": 404, "62": 400, "160": 413}


@dataclass(frozen=True)
class Request:
    """What a URL, the headers and a form ask for."""

    path: str
    query: str
    params: Mapping[str, str]
    settings: Mapping[str, str]
    database: str
    format: str
    query_id: str
    whole: bool
    encoding: str | None


def read_request(target: str, headers: Mapping[str, str], form: Mapping[str, str]) -> Request:
    """Sort what a request says into parameters, settings and the rest.

    Examples
    --------
    >>> asked = read_request("/?query=SELECT+{x:Int8}&param_x=1&final=1", {}, {})
    >>> asked.query, asked.params, asked.settings
    ('SELECT {x:Int8}', {'x': '1'}, {'final': '1'})

    """
    try:
        url = urlsplit(target)
        pairs = parse_qsl(url.query, keep_blank_values=True, errors="strict", max_num_fields=500)
    except ValueError as error:
        raise BadRequest(f"the URL is malformed: {error}") from None
    said = {**dict(pairs), **form}
    params = {name[6:]: value for name, value in said.items() if name.startswith("param_")}
    rest = {name: value for name, value in said.items() if not name.startswith("param_")}
    database = rest.pop("database", "") or headers.get("x-clickhouse-database", "") or DATABASE
    settings = {name: value for name, value in rest.items() if name not in _TRANSPORT}
    for name in settings:
        if not re.fullmatch(r"\w+", name):
            raise BadRequest(f"{name[:50]!r} is no setting", code=115)
    asked = headers.get("x-clickhouse-format") or rest.get("default_format") or "TabSeparated"
    return Request(
        path=url.path,
        query=rest.get("query", ""),
        params=params,
        settings=settings,
        database=database,
        format=asked,
        query_id=re.sub(r"[^\w-]", "", rest.get("query_id", ""))[:64],
        whole=rest.get("wait_end_of_query", "0") == "1",
        encoding=_accepted(headers) if settings.get("enable_http_compression") == "1" else None,
    )


def who(headers: Mapping[str, str], target: str, passwords: Mapping[Role, str]) -> Role:
    """Return the role whose name and password a request gives, as ClickHouse takes them."""
    query = dict(parse_qsl(urlsplit(target).query))
    name, password = headers.get("x-clickhouse-user", ""), headers.get("x-clickhouse-key", "")
    scheme, _, basic = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(basic, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            name = password = ""
    elif not name:
        name, password = query.get("user", ""), query.get("password", "")
    found: Role | None = None
    for role, expected in passwords.items():
        # All are compared, so that the time taken tells neither the name nor the password.
        if hmac.compare_digest(f"{role}:{expected}".encode(), f"{name}:{password}".encode()):
            found = role
    if found is None:
        why = "Authentication failed: password is incorrect, or there is no user with such name."
        raise BadRequest(f"{why} (AUTHENTICATION_FAILED)", 403, 516)
    return found


def check_origin(headers: Mapping[str, str], port: int) -> None:
    """Refuse a request that a web page of another site made a browser send (DNS rebinding)."""
    ours = [f"127.0.0.1:{port}", f"localhost:{port}", "127.0.0.1", "localhost"]
    if headers.get("host", "").lower() not in ours:
        raise BadRequest("the Host header is not this server", 421)
    origin = headers.get("origin")
    if origin is not None and origin not in {f"http://{host}" for host in ours[:2]}:
        raise BadRequest("requests from another site's page are refused", 403)


def form(headers: Mapping[str, str], content: bytes) -> dict[str, str]:
    """Return the fields of a multipart form; files (external tables) are not served."""
    kind = headers.get("content-type", "")
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    parts = BytesParser(policy=policy.HTTP).parsebytes(head + content)
    fields = {}
    for part in parts.iter_parts() if parts.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        if part.get_filename() or not isinstance(name, str):
            raise BadRequest("external tables are not served")
        value = part.get_payload(decode=True)
        fields[name] = value.decode() if isinstance(value, bytes) else ""
    return fields


def inserts(head: bytes) -> Iterator[tuple[str, int]]:
    r"""Yield where an INSERT may end and its rows begin: only a parser knows which one is it.

    Examples
    --------
    >>> list(inserts(b"INSERT INTO t (a) FORMAT CSV\n1\n"))
    [('INSERT INTO t (a) FORMAT CSV', 29)]
    >>> list(inserts(b"insert into t values (1)"))
    [('insert into t  FORMAT Values', 20)]

    """
    if _INSERT.match(head):
        for found in _ROWS.finditer(head):
            name = (found["format"] or b"Values").decode()
            yield f"{head[: found.start()].decode(errors='replace')} FORMAT {name}", found.end()


def summary(counts: Summary, seconds: float) -> str:
    """Return the value of `X-ClickHouse-Summary`."""
    numbers = {name: str(value) for name, value in asdict(counts).items()}
    return json.dumps({**numbers, "elapsed_ns": str(int(seconds * 1e9))})


def tidy(message: str, role: Role | None) -> tuple[int, str, str]:
    """Return HTTP's status, ClickHouse's code and the text of an engine's error.

    Examples
    --------
    >>> tidy("Streaming query failed: Code: 60. DB::Exception: no t. (UNKNOWN_TABLE)", None)
    (404, '60', 'Code: 60. DB::Exception: no t. (UNKNOWN_TABLE)')

    """
    start = message.find("Code: ")
    text = message[max(start, 0) :]
    # The query that asked for the tree is ours, and the engine's only user has no name.
    text = re.sub(
        r": In scope SELECT (?:parseQueryToJSON|formatQuery).*(?=\. \(\w+\)$)", "", text, flags=re.S
    )
    text = text.replace("DB::Exception: default: ", f"DB::Exception: {role}: ")
    found = re.match(r"Code: (\d+)", text)
    code = found[1] if found else "1002"
    return _STATUS.get(code, 500), code, text


def failure(tag: str, message: str) -> bytes:
    """Return the block that tells a client of an error after the answer has begun."""
    text = message.encode()
    return b"__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n" % (
        tag.encode(), text, len(text) + 1, tag.encode(),
    )  # fmt: skip


def _accepted(headers: Mapping[str, str]) -> str | None:
    """Return the first encoding the client takes, in its own order, that we have."""
    for item in headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = item.strip().partition(";")
        if name in {"lz4", "zstd", "gzip", "deflate"} and weight.replace(" ", "") != "q=0":
            return name
    return None
