"""The embedded history, through the unmodified clickhouse-connect client and bare sockets."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

import clickhouse_connect
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, StreamFailureError

from infra.history.history import History

ROOT = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
ENDLESS = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"


@pytest.fixture
def table(owner: Client) -> Iterator[str]:
    owner.command(
        "CREATE TABLE ticks (a Int64, s String, t Nullable(DateTime64(9, 'UTC'))) "
        "ENGINE = MergeTree ORDER BY a"
    )
    yield "ticks"
    owner.command("DROP TABLE ticks SYNC")


@pytest.fixture
def port(history: History) -> int:
    running = history.home.running()
    assert running is not None
    assert running.port is not None
    return running.port


def login(history: History, role: str = "reader") -> dict[str, str]:
    password = json.loads((history.home.path / "users.json").read_text())[role]
    return {"Authorization": f"Basic {base64.b64encode(f'{role}:{password}'.encode()).decode()}"}


def ask(
    port: int,
    headers: dict[str, str],
    body: str | bytes = "",
    target: str = "/",
    method: str = "POST",
) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, target, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    return answer.status, text


def running(owner: Client, like: str) -> int:
    query = "SELECT count() FROM system.processes WHERE query LIKE {like:String}"
    itself = " AND query NOT LIKE '%processes%'"
    return int(str(owner.command(query + itself, parameters={"like": like})))


def until(true: Callable[[], bool]) -> None:
    """Wait for something that is sure to come; half a minute is for never."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end


@pytest.mark.parametrize("compress", [False, "gzip", "lz4", "zstd"])
def test_rows_and_arrow_blocks_come_back_as_they_went(
    compress: bool | str, table: str, history: History, port: int
) -> None:
    client = clickhouse_connect.get_client(
        host="127.0.0.1",
        port=port,
        username="writer",
        password=history.home.password("writer"),
        database="tapedeck",
        compress=compress,
        tz_mode="aware",
        dedicated_pool=True,
    )
    rows = [(1, "x\n'\\ ж", NOON), (2, "", None)]
    done = client.insert(table, rows, column_names=["a", "s", "t"])
    assert done.written_rows == 2
    block = pa.table({"a": pa.array([3, 4], pa.int64()), "s": ["y", "y" * 100_000]})
    assert client.insert_arrow(table, block).written_rows == 2
    assert client.query(f"SELECT * FROM {table} ORDER BY a LIMIT 2").result_rows == rows
    arrow = client.query_arrow(f"SELECT a, s FROM {table} WHERE a > 2 ORDER BY a")
    assert arrow.column("s").to_pylist()[1] == "y" * 100_000
    frame = client.query_df(f"SELECT count() AS n FROM {table}")
    assert list(frame["n"]) == [4]
    client.close()


def test_parameters_and_settings_are_the_requests_own(reader: Client) -> None:
    text = "a'\t\n\\b"
    query = "SELECT {text:String}, {n:Int64} + 1, {when:DateTime64(9, 'UTC')}"
    answer = reader.query(query, parameters={"text": text, "n": 41, "when": NOON})
    assert answer.result_rows == [(text, 42, NOON)]
    settings = {"max_result_rows": 1}
    with pytest.raises(ClickHouseError, match="TOO_MANY_ROWS"):
        reader.query("SELECT * FROM numbers(5)", settings=settings)
    assert len(reader.query("SELECT * FROM numbers(5)").result_rows) == 5


def test_nothing_leaks_from_one_request_into_the_next(owner: Client) -> None:
    owner.command("SET limit = 3")
    owner.command("SET ROLE reader")
    answer = owner.query("SELECT currentDatabase(), currentRoles() FROM numbers(5)")
    assert answer.result_rows == [("tapedeck", ["owner"])] * 5


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT nothing", 47),
        ("SELECT * FROM nowhere", 60),
        ("SELECT 1 +", 62),
        ("SELECT throwIf(1)", 395),
        ("DROP TABLE runs", 497),
        ("", 62),
    ],
)
def test_errors_have_clickhouses_own_number(
    query: str, code: int, history: History, port: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/", query, login(history))
    answer = connection.getresponse()
    assert answer.headers["X-ClickHouse-Exception-Code"] == str(code)
    assert answer.status >= 400
    assert answer.read().decode().startswith(f"Code: {code}. DB::Exception: ")
    connection.close()


def test_a_large_answer_streams_and_an_error_in_its_middle_is_seen(reader: Client) -> None:
    with reader.query_rows_stream("SELECT number FROM numbers(1000000)") as rows:
        assert sum(n for (n,) in rows) == 499999500000
    failing = "SELECT throwIf(number = 1000000, 'the middle') FROM numbers(3000000)"
    with (
        reader.query_rows_stream(failing) as rows,
        pytest.raises(StreamFailureError, match="middle"),
    ):
        list(rows)


def test_a_broken_insert_leaves_nothing(
    table: str, history: History, port: int, owner: Client
) -> None:
    headers = {**login(history, "writer"), "Content-Encoding": "gzip"}
    rows = gzip.compress(b"\n".join(b"%d" % n for n in range(50_000)))
    status, text = ask(
        port, headers, rows[: len(rows) // 2], "/?query=INSERT+INTO+ticks+(a)+FORMAT+TSV"
    )
    assert status == 200 or "Code:" in text
    status, text = ask(port, headers, b"no gzip at all", "/?query=INSERT+INTO+ticks+(a)+FORMAT+TSV")
    assert (status, "the body is no gzip" in text) == (400, True)
    status, text = ask(port, login(history, "writer"), "INSERT INTO ticks (a) FORMAT TSV\n1\nx\n")
    assert (status, "CANNOT_PARSE" in text) == (500, True)
    assert owner.command(f"SELECT count() FROM {table} WHERE s = 'x'") == 0


def test_inserts_and_reads_answer_while_a_long_read_runs(
    table: str, history: History, writer: Client, reader: Client, owner: Client
) -> None:
    done = threading.Event()

    def long() -> None:
        with history.client("reader") as other, pytest.raises(ClickHouseError, match="QUERY_WAS_C"):
            other.command(ENDLESS, settings={"max_threads": 1})
        done.set()

    thread = threading.Thread(target=long)
    thread.start()
    until(lambda: running(owner, "%sipHash64(%") == 1)
    block = pa.table({"a": pa.array(range(10_000), pa.int64())})
    for n in range(1, 6):
        assert writer.insert_arrow(table, block).written_rows == 10_000
        assert reader.command(f"SELECT count() FROM {table}") == n * 10_000
    assert not done.is_set()
    owner.command("KILL QUERY WHERE query LIKE '%sipHash64(%' AND query_id != queryID()")
    thread.join(30)
    assert done.is_set()


def test_a_statement_whose_client_is_gone_is_stopped(
    history: History, port: int, owner: Client
) -> None:
    lines = [f"{name}: {value}" for name, value in login(history).items()]
    query = ENDLESS.replace("sipHash64", "cityHash64")
    head = [
        "POST / HTTP/1.1",
        "Host: localhost",
        f"Content-Length: {len(query)}",
        *lines,
        "",
        query,
    ]
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall("\r\n".join(head).encode())
    until(lambda: running(owner, "%cityHash64(%") == 1)
    client.close()
    until(lambda: running(owner, "%cityHash64(%") == 0)


def test_answers_to_many_at_once_are_each_their_own(reader: Client) -> None:
    def right(k: int) -> bool:
        query = f"SELECT number, toString(number * {k}) FROM numbers({2000 + k})"
        return list(reader.query(query).result_rows) == [(n, str(n * k)) for n in range(2000 + k)]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(right, range(400)))


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost:1", "", "[::1]"]
)
def test_another_host_name_is_refused(host: str, history: History, port: int) -> None:
    assert ask(port, {**login(history), "Host": host}, "SELECT 1")[0] == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1", "http://localhost:1"]
)
def test_another_sites_page_is_refused(origin: str, history: History, port: int) -> None:
    assert ask(port, {**login(history), "Origin": origin}, "SELECT 1")[0] == 403
    assert ask(port, {"Origin": origin}, target="/ping", method="GET")[0] == 403


def test_our_own_page_and_a_ping_are_served(history: History, port: int) -> None:
    origin = {"Origin": f"http://127.0.0.1:{port}", "Host": f"localhost:{port}"}
    assert ask(port, {**login(history), **origin}, "SELECT 1") == (200, "1\n")
    assert ask(port, {}, target="/ping", method="GET") == (200, "Ok.\n")


def test_a_password_may_come_in_any_of_clickhouses_ways(history: History, port: int) -> None:
    password = history.home.password("reader")
    keys = {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": password}
    assert ask(port, keys, "SELECT currentRoles()") == (200, "['reader']\n")
    target = f"/?user=reader&password={password}"
    assert ask(port, {}, "SELECT 1", target) == (200, "1\n")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"reader:wrong").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"default:").decode()},
        {"Authorization": "Bearer x"},
        {"X-ClickHouse-User": "owner", "X-ClickHouse-Key": ""},
        {"X-ClickHouse-User": "default"},
    ],
)
def test_nobody_comes_in_without_a_password(headers: dict[str, str], port: int) -> None:
    status, text = ask(port, headers, "SELECT 1")
    assert (status, text[:9]) == (403, "Code: 516")


def test_no_password_is_ever_logged_or_told(history: History, port: int) -> None:
    password = history.home.password("owner")
    _, told = ask(port, {}, "SELECT nope", f"/?user=owner&password={password}")
    _, wrong = ask(port, {}, "SELECT 1", f"/?user=owner&password={password}x")
    kept = "".join(p.read_text() for p in history.home.path.glob("*.log"))
    assert password not in told + wrong + kept


def test_a_get_changes_nothing(history: History, port: int) -> None:
    target = "/?query=DROP+TABLE+runs"
    status, text = ask(port, login(history, "owner"), target=target, method="GET")
    assert (status, "may not run DROP" in text) == (403, True)
    target = "/?query=SELECT+1"
    assert ask(port, login(history, "owner"), target=target, method="GET") == (200, "1\n")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\n",
        b"\x00\xff\x16\x03\x01\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"BREW" + ROOT[4:] + b"\r\n",
        ROOT + b"Content-Length: -5\r\n\r\nSELECT 1",
        ROOT + b"Content-Length: many\r\n\r\nSELECT 1",
        ROOT + b"Content-Length: 99\r\n\r\nSELECT 1",
        ROOT + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nSELECT\r\n0\r\n\r\n",
        ROOT + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\nSELECT",
        ROOT + b"Transfer-Encoding: chunked\r\n\r\n2\r\nSELECT 1\r\n0\r\n\r\n",
        ROOT.replace(b"/ ", b"/?final=%ff%fe&x=%00 ") + b"Content-Length: 0\r\n\r\n",
        b"POST /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        ROOT + b"X: y\r\n" * 200 + b"\r\n",
        ROOT + b"Content-Type: multipart/form-data\r\nContent-Length: 5\r\n\r\n-----",
        ROOT + b"Content-Encoding: zstd\r\nContent-Length: 5\r\n\r\n-----",
        ROOT + b"Content-Encoding: br\r\nContent-Length: 5\r\n\r\n-----",
        ROOT + b"Content-Length: 9\r\n\r\nSELECT \xff\xfe",
        ROOT + b"Content-Length: 11\r\n\r\nSELECT 1\x00;2",
    ],
    ids=range(19),
)
@pytest.mark.parametrize("known", [False, True])
def test_a_malformed_request_is_refused_and_harms_nobody(
    known: bool, request_bytes: bytes, history: History, port: int
) -> None:
    if known:
        line = f"Authorization: {login(history)['Authorization']}\r\n".encode()
        request_bytes = request_bytes.replace(b"Host: ", line + b"Host: ")
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(request_bytes)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(1 << 16), b""))
    assert not answer.startswith(b"HTTP/1.1 200")
    assert ask(port, login(history), "SELECT 1") == (200, "1\n")


def test_the_sizes_of_requests_are_bounded(history: History, port: int) -> None:
    status, text = ask(port, login(history), "SELECT '" + "x" * (1 << 20) + "'")
    assert (status, "a statement is at most 1048576 bytes" in text) == (413, True)
    bomb = gzip.compress(b"SELECT '" + b"x" * (1 << 26))
    assert ask(port, {**login(history), "Content-Encoding": "gzip"}, bomb)[0] == 413


def test_a_form_is_read_as_clickhouse_reads_it(history: History, port: int) -> None:
    parts = [("query", "SELECT {x:String}"), ("param_x", "é")]
    body = "".join(
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts
    )
    headers = {**login(history), "Content-Type": "multipart/form-data; boundary=B"}
    assert ask(port, headers, f"{body}--B--\r\n".encode()) == (200, "é\n")
    file = '--B\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\n1\r\n--B--\r\n'
    status, text = ask(port, headers, file)
    assert (status, "external tables are not served" in text) == (400, True)


def test_no_file_of_the_home_is_served(history: History, port: int, tmp_path: Path) -> None:
    for target in ("/users.json", "/../users.json", "//etc/passwd", "/play", "/replicas_status"):
        status, text = ask(port, login(history), "SELECT 1", target)
        assert (status, "there is no /" in text) == (404, True)
    assert not list(tmp_path.iterdir())
