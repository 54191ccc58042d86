"""The HTTP server in front of the embedded history: a thread a client, a session a request."""

import logging
import secrets
import selectors
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path

from infra.history.body import BadRequest, body, packed
from infra.history.engine import Answer, Engine, Session
from infra.history.guard import Refused, Role, Statement
from infra.history.home import COPY
from infra.history.http import (
    MAX_QUERY,
    Request,
    check_origin,
    failure,
    form,
    inserts,
    read_request,
    summary,
    tidy,
    who,
)

CONNECTIONS = 256
"""Clients at a time; a further one is told to come back."""

_IDLE = 300
"""Seconds after which a silent connection is closed."""

_HEAD = 1 << 16
_WASTE = 1 << 26
_FULL = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_log = logging.getLogger("tapedeck.history")


class Watch:
    """Sees clients go away while their statement runs, and has it killed: nobody waits for it."""

    def __init__(self, kill: Callable[[str], None]) -> None:
        self._kill = kill
        self._selector = selectors.DefaultSelector()
        threading.Thread(target=self._run, daemon=True).start()

    @contextmanager
    def over(self, client: socket.socket, tag: str) -> Iterator[None]:
        """Watch `client` while the statement `tag` runs."""
        self._selector.register(client, selectors.EVENT_READ, tag)
        try:
            yield
        finally:
            self._forget(client)

    def _forget(self, client: "socket.socket | int") -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(client)

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                self._forget(key.fd)
                with suppress(OSError, RuntimeError):
                    client = socket.socket(fileno=socket.dup(key.fd))
                    with client:
                        if client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"":
                            self._kill(key.data)


class Server(ThreadingHTTPServer):
    """Serves an engine on loopback.

    Parameters
    ----------
    engine, passwords
        What is served, and who may use it.
    port
        0 takes a free one: `server_port`.

    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, engine: Engine, passwords: Mapping[Role, str], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.engine = engine
        self.passwords = passwords
        self.watch = Watch(engine.kill)
        self._free = threading.Semaphore(CONNECTIONS)
        self._draining = False
        self._busy = 0
        self._changed = threading.Condition()

    def server_bind(self) -> None:
        """Bind without asking a name server for our own name, as the base class does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def process_request(
        self, request: "socket.socket | tuple[bytes, socket.socket]", client_address: object
    ) -> None:
        """Start a thread for a connection, if there is room for one."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        elif isinstance(request, socket.socket):
            with suppress(OSError):
                request.send(_FULL)
            self.shutdown_request(request)

    def process_request_thread(
        self, request: "socket.socket | tuple[bytes, socket.socket]", client_address: object
    ) -> None:
        """Serve one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what went wrong with a connection; the others go on."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            _log.exception("a connection failed")

    @contextmanager
    def work(self) -> Iterator[None]:
        """Count a request as under way."""
        with self._changed:
            if self._draining:
                raise BadRequest("history is stopping", 503)
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """Take no more requests and wait for those under way; whether all came to their end."""
        with self._changed:
            self._draining = True
            return self._changed.wait_for(lambda: not self._busy, seconds)


class Handler(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE
    wbufsize = 1 << 16
    server: Server

    def do_GET(self) -> None:
        """Serve a read: as ClickHouse, GET changes nothing whoever asks."""
        self._serve()

    def do_POST(self) -> None:
        """Serve a statement."""
        self._serve()

    def version_string(self) -> str:
        """Return the `Server` header."""
        return "tapedeck"

    def log_message(self, *_: object) -> None:
        """Log nothing of the base class's: its lines hold the URL, which may hold a password."""

    def _serve(self) -> None:
        role: Role | None = None
        self._begun = False
        self._rest: Iterator[bytes] = iter(())
        self._heads: dict[str, str] = {}
        for name, value in self.headers.items():
            self._heads.setdefault(name.lower(), value)
        try:
            self._rest = body(self.rfile, self._heads)
            with self.server.work():
                check_origin(self._heads, self.server.server_port)
                if self.path == "/ping" or (self.path == "/" and self.command == "GET"):
                    self._send("text/plain", 4, iter((b"Ok.\n",)))
                    return
                role = who(self._heads, self.path, self.server.passwords)
                self._statement(role)
        except BadRequest as error:
            self._fail(error.status, *tidy(str(error), role)[1:])
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except (RuntimeError, Refused) as error:
            self._fail(*tidy(str(error), role))

    def _statement(self, role: Role) -> None:
        """Read, decide about and run one statement."""
        fields: dict[str, str] = {}
        if self._heads.get("content-type", "").lower().startswith("multipart/form-data"):
            fields = form(self._heads, self._all(b""))
        asked = read_request(self.path, self._heads, fields)
        if asked.path == COPY:
            self._copy(role, asked.query)
            return
        if asked.path != "/":
            raise BadRequest(f"there is no {asked.path[:100]}", 404)
        may: Role = "reader" if self.command == "GET" else role
        started = time.monotonic()
        with closing(self.server.engine.session()) as session:
            statement, rows = self._parse(session, may, asked.query.encode())
            session.enter(may, asked.database, asked.settings)
            if rows is not None:
                answer = session.insert(statement, rows)
            else:
                with self.server.watch.over(self.connection, session.tag):
                    answer = session.run(statement, asked.format, asked.params, asked.whole)
            self._answer(asked, answer, time.monotonic() - started)

    def _copy(self, role: Role, where: str) -> None:
        """Copy all there is into a directory of this machine, for its owner."""
        if role != "owner" or self.command != "POST" or not Path(where).is_absolute():
            raise BadRequest("a copy is for the owner, by POST, into an absolute path", 403)
        self.server.engine.copy(Path(where))
        self._send("text/plain", 4, iter((b"Ok.\n",)))

    def _parse(
        self, session: Session, role: Role, head: bytes
    ) -> tuple[Statement, Iterator[bytes] | None]:
        """Return the statement and, if it is an INSERT, the rows that follow."""
        named = bool(head)
        for piece in () if named else self._rest:
            head += piece
            if len(head) >= _HEAD:
                break
        for text, at in inserts(head):
            with suppress(RuntimeError):
                statement = session.prepare(text, role)
                if statement.insert:
                    return statement, chain((head[at:],), self._rest)
        text = self._all(head + b"\n" if named else head).decode("utf-8", "strict").strip()
        if not text:
            raise BadRequest("Empty query", code=62)
        statement = session.prepare(text, role)
        return statement, iter(()) if statement.insert else None

    def _all(self, head: bytes) -> bytes:
        """Return `head` and the rest of the body."""
        parts, size = [head], len(head)
        for piece in self._rest:
            parts.append(piece)
            size += len(piece)
            if size > MAX_QUERY:
                raise BadRequest(f"a statement is at most {MAX_QUERY} bytes", 413)
        return b"".join(parts)

    def _answer(self, asked: Request, answer: Answer, seconds: float) -> None:
        tag = secrets.token_hex(8)
        encoding = asked.encoding if answer.size != 0 else None
        headers = {
            "X-ClickHouse-Query-Id": asked.query_id or secrets.token_hex(8),
            "X-ClickHouse-Format": answer.format,
            "X-ClickHouse-Server-Display-Name": "tapedeck",
            "X-ClickHouse-Timezone": "UTC",
            "X-ClickHouse-Summary": summary(answer.summary, seconds),
            "X-ClickHouse-Exception-Tag": tag,
        }
        if encoding:
            headers["Content-Encoding"] = encoding
        try:
            pieces = packed(answer.pieces, encoding)
            size = None if encoding else answer.size
            self._send("application/octet-stream", size, pieces, headers)
        except (RuntimeError, Refused) as error:
            # The status is sent; the client looks for this block at the end of what it got.
            if not self._begun or encoding:
                raise
            self._chunk(failure(tag, tidy(str(error), None)[2]))
            self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True

    def _send(
        self,
        kind: str,
        size: int | None,
        pieces: Iterator[bytes | memoryview],
        headers: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        chunked = size is None and self.request_version != "HTTP/1.0"
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif size is None:
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(size))
        self.end_headers()
        self._begun = True
        for piece in pieces:
            if chunked:
                self._chunk(piece)
            else:
                self.wfile.write(piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, piece: bytes | memoryview) -> None:
        self.wfile.write(b"%x\r\n" % len(piece))
        self.wfile.write(piece)
        self.wfile.write(b"\r\n")

    def _fail(self, status: int, code: str, text: str) -> None:
        """Tell the client what is wrong, after what it is still sending: it reads only then."""
        _log.warning("%s %s: %s %s", self.command, self.client_address[1], status, code)
        if self._begun:
            self.close_connection = True
            return
        wasted = 0
        with suppress(BadRequest):
            for piece in self._rest:
                wasted += len(piece)
                if wasted > _WASTE:
                    break
        self.close_connection = True
        content = (text + "\n").encode()
        headers = {"X-ClickHouse-Exception-Code": code, "Connection": "close"}
        self._send("text/plain; charset=utf-8", len(content), iter((content,)), headers, status)
