"""A thousand requests that nobody honest sends: each is answered, none with a fault or a secret."""

from __future__ import annotations

import random
import re
import socket
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

import pyarrow as pa
import pytest

from infra.page.serving import Serving
from tests.infra.page.kept_run import MARKETS, PAYLOAD, TOKEN, Kept, serving

COUNT = 1_000
SQL = [
    "' OR '1'='1", "'; DROP TABLE candles; --", "') UNION ALL SELECT * FROM system.users --",
    "1 OR 1=1", "{market:String}", "\\'; SELECT sleep(3); --", "`candles`", "/*", "0x31",
    "1); INSERT INTO runs SELECT * FROM runs --", "file('/etc/passwd')", "%27%20OR%201%3D1",
]  # fmt: skip
ODD = [
    "", "-1", "1e9", "NaN", "9" * 16, "9" * 400, "0x10", "²", "٣", "1_000", " 7", "7\n", "\x00",
    "../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%00", "%",
    "%zz", "%c0%af", "%ff%fe", "<script>alert(1)</script>", "{{7*7}}", "${jndi:ldap://x}", "%s%n",
    "\u202e", "💥" * 30, "A" * 5_000, "true", "null", "[]", "__proto__", "constructor",
]  # fmt: skip
METHODS = ["GET"] * 40 + ["POST"] * 4 + ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] + [
    "CONNECT", "PROPFIND", "get", "G" * 300, "GE\x00T",
]  # fmt: skip
PARTS = [
    "candles", "positions", "signals", "equity", "model", "troubles", "feed", "book", "", "x",
]  # fmt: skip
TEXTS = ["market", "kind"]
NAMES = [*TEXTS, "before", "after", "until", "since", "limit", "step", "points", "token"]
HEADS = [
    "Host: evil.example", "Host: 127.0.0.1.evil.example", "Host: 127.0.0.1:0", "Host: [::1",
    "Host: localhost@evil.example", "Host: 127.0.0.1/..", "Host:", "Host: 127.0.0.1:99999999",
    "Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site",
    "Cookie: " + "a=b; " * 500, "Cookie: \x7f=;;;=;", 'Cookie: x="\\', "Authorization: Bearer",
    "Authorization: Bearer " + "A" * 3_000, "Authorization: Basic dDp0", "X-CSRF-Token: é",
    "Content-Length: -1", "Content-Length: 99999999999", "Content-Length: 1\r\nContent-Length: 2",
    "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Expect: 100-continue",
    "X: " + "y" * 20_000, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
    "X-Forwarded-Host: evil.example", "X-Forwarded-For: ' OR 1=1", "Range: bytes=0-", "\x01\x02: 1",
    "X-HTTP-Method-Override: DELETE", "Accept: " + "*" * 900, "Content-Type: text/xml",
]  # fmt: skip
BODIES = [
    b"", b"{", b"null", b"[]", b"7", b'"x"', b"[" * 2_000, b'{"action": "halt"}',
    b'{"action": ["halt"], "flow": {}}', b'{"action": "halt", "flow": "x", "markets": "y"}',
    b'{"action": "flatten", "flow": "../../etc", "markets": [1]}', b"\xff\xfe\x00", b"a=b&c=d",
    b'{"action": "halt", "flow": "x", "markets": ["%s"]}' % (b"m" * 900), b"\x00" * 4_000,
    b'{"confirm": "x", "typed": 7}', b'{"confirm": "\\ud800"}', b"x" * 60_000,
    b'{"action": "drop", "flow": "x"}', b'{"action": "halt", "flow": "x\\u0000"}',
]  # fmt: skip
GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n\r\n", b"GET\r\n\r\n", b"\x00" * 500,
    b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET http://evil/ HTTP/1.1\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"A" * 70_000,
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\n b\r\n\r\n", b"* / *\r\n\r\n",
]  # fmt: skip
INSIDE = [rb"Traceback", rb"File .{1,9}infra", rb"DB::Exception", rb"lickhouse", rb"Timestamp64"]
"""What only our log may say."""


@pytest.fixture(scope="module")
def served(kept: Kept) -> Iterator[Serving]:
    with serving(kept.history) as server:
        yield server


def answered(port: int, request: bytes) -> bytes:
    """Send bytes, and return all that comes back; a stream is left behind its first bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        try:
            connection.sendall(request)
            if not whole(request):
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it was closed while we sent
        found = b""
        try:
            while not over(found, request) and (piece := connection.recv(1 << 16)):
                found += piece
        except ConnectionResetError:
            pass
        return found


def over(answer: bytes, request: bytes) -> bool:
    """Tell whether all of an answer is there."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    if end and length is not None:
        return request.startswith(b"HEAD") or len(body) >= int(length[1])
    return b"text/event-stream" in head and b"event: " in body


def whole(request: bytes) -> bool:
    """Tell whether all of a request was sent: else the server would wait for the rest."""
    head, end, body = request.partition(b"\r\n\r\n")
    if b"ransfer-Encoding: chunked" in head or not end:
        return False
    lengths = [int(length) for length in re.findall(rb"Content-Length: (\d+)", head)]
    return max(lengths, default=0) <= len(body)


class Fuzz:
    """Makes requests from a seed."""

    def __init__(self, seed: int, run: str, port: int) -> None:
        self.draw, self.run, self.port = random.Random(seed), run, port

    def value(self) -> str:
        text = self.draw.choice(SQL * 2 + ODD)
        text = text if self.draw.random() < 0.7 else self.draw.choice(ODD) + text
        # Not quoted most would not get beyond the parser of HTTP.
        return quote(text, safe="") if self.draw.random() < 0.8 else text

    def path(self) -> str:
        run = self.run if self.draw.random() < 0.85 else self.value()
        paths = [
            f"/api/runs/{run}/{self.draw.choice(PARTS)}", f"/api/runs/{run}", "/api/desk", "/",
            "/api/runs", "/api/stream", f"/static/{self.value()}", f"/{self.value()}",
            "/api/commands", "/api/commands/prepare", f"/api/{self.value()}", "//evil.example/",
        ]  # fmt: skip
        return self.draw.choices(paths, [24, 2, 1, 1, 2, 1, 3, 2, 2, 3, 1, 1])[0]

    def query(self) -> str:
        deep = self.draw.random() < 0.6  # else most are refused before history is asked
        names = self.draw.sample(*((TEXTS, self.draw.randrange(3)) if deep else (NAMES, 3)))
        pairs = [f"{name}={self.value()}" for name in names]
        if "market" not in names and self.draw.random() < 0.6:
            pairs.append(f"market={MARKETS[0]}")
        return "?" + "&".join(pairs) if pairs else ""

    def request(self, *, known: bool, csrf: str) -> bytes:
        if self.draw.random() < 0.03:
            return self.draw.choice(GARBAGE)
        heads = [f"Host: 127.0.0.1:{self.port}", "Connection: close"]
        if known:
            heads.append(f"Authorization: Bearer {TOKEN}")
        if known and self.draw.random() < 0.7:
            heads += [f"X-CSRF-Token: {csrf}", "Content-Type: application/json"]
        if self.draw.random() < 0.2:
            odd = self.draw.choice(HEADS)
            heads = [head for head in heads if head.partition(":")[0] != odd.partition(":")[0]]
            heads.append(odd)
        method = self.draw.choice(METHODS)
        body = self.draw.choice(BODIES) if method != "GET" or self.draw.random() < 0.1 else b""
        if body and not any(head.startswith(("Content-Length", "Transfer")) for head in heads):
            heads.append(f"Content-Length: {len(body)}")
        target = (self.path() + self.query()).replace(
            " ", "%20" if self.draw.random() < 0.9 else " "
        )
        line = f"{method} {target} HTTP/1.1"
        return "\r\n".join([line, *heads, "", ""]).encode("utf-8", "surrogatepass") + body


def test_a_thousand_hostile_requests_bring_no_fault_and_no_leak(
    kept: Kept, served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, reader = served.house.keys, served.house.reader
    ask, usual, hostile = reader.table, {"", "kept", kept.run, "1m", *MARKETS}, 0

    def table(query: str, **values: object) -> pa.Table:
        nonlocal hostile
        hostile += any(isinstance(v, str) and v not in usual for v in values.values())
        return ask(query, **values)

    monkeypatch.setattr(reader, "table", table)
    fuzz = Fuzz(20261123, kept.run, served.port)
    home = str(kept.history.settings.home).encode()
    statuses: Counter[str] = Counter()
    for number in range(COUNT):
        known = number % 5 > 0
        request = fuzz.request(known=known, csrf=keys.csrf)
        answer = answered(served.port, request)
        head, _, body = answer.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        if status is None:
            assert not answer, request  # closed without a word: it was no HTTP
        statuses[status[1].decode() if status else "closed"] += 1
        assert status is None or status[1] < b"500", (request, answer)
        for secret in (TOKEN, keys.cookie, keys.csrf):
            at_home = known and (b"/api/desk" in request or b"/api/stream" in request)
            assert secret.encode() not in answer or (secret == keys.csrf and at_home), request
        for inside in INSIDE:
            assert not re.search(inside, body.replace(kept.run.encode(), b"")), (request, answer)
        if not known and b"token=" + TOKEN.encode() not in request:
            assert kept.run.encode() not in answer.replace(request, b""), request
            assert home not in answer
            assert status is None or status[1] not in (b"200", b"206"), (request, answer)
        elif b" 200 " in head:
            assert b"nosniff" in head
            assert b"frame-ancestors 'none'" in head
    assert sum(statuses.values()) == COUNT
    assert {"200", "400", "401", "403", "404", "405", "413"} <= statuses.keys(), statuses
    assert hostile > 50  # asked history what no honest page would


def test_what_was_kept_is_as_it_was_behind_all_that(kept: Kept, served: Serving) -> None:
    with kept.history.client("reader") as reader:
        [[candles]] = reader.query(
            "SELECT count() FROM candles WHERE run = {run:String}", {"run": kept.run}
        ).result_rows
    assert candles == sum(len(kept.of(market, "Candle")) for market in MARKETS)
    request = (
        f"GET /api/runs/{kept.run}/troubles?kind=reject HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    )
    answer = answered(served.port, request.encode())
    assert b"content-type: application/json" in answer
    assert b"<img src=x onerror=alert(1)>" in answer  # as JSON, which no browser takes for HTML
    assert PAYLOAD.encode() not in answer  # for it holds control characters
