"""A place that takes notices by HTTP, as a webhook or Telegram would, and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import Self


class ChatRoom:
    """Listens on this machine while it is entered; what came is in `heard`."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        """Path and body of what was taken, in order."""
        self.answers: deque[tuple[int, dict[str, str]]] = deque()
        """Statuses and headers of the next answers; 200 behind them."""
        self.open = threading.Event()
        """Nothing is answered before it is set."""
        self.open.set()
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def texts(self) -> list[str]:
        return [body.get("text") or body["content"] for _, body in self.heard]

    def until(self, count: int) -> None:
        """Wait until so many were taken."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.heard) >= count, 30.0), self.heard

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, str]]:
        self.open.wait(30.0)
        with self._changed:
            status, headers = self.answers.popleft() if self.answers else (200, {})
            if status == 200:
                self.heard.append((path, body))
                self._changed.notify_all()
        return status, headers

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        room = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                status, headers = room._take(self.path, json.loads(self.rfile.read(size)))
                said = b'{"ok": true}' if status == 200 else b"no " + self.path.encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - as it is called
                """Say nothing."""

        return Handler
