from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from prometheus_client import CollectorRegistry, start_http_server

from infra.metrics.answers import answers


def test_whoever_shows_metrics_answers() -> None:
    server, thread = start_http_server(0, "127.0.0.1", CollectorRegistry())
    try:
        assert answers(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_nobody_does_not_answer() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        assert not answers(held.getsockname()[1])


@pytest.mark.parametrize("status", [500, 404])
def test_an_error_is_no_answer(status: int) -> None:
    class Broken(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        assert not answers(server.server_port)
        thread.join()
