"""Who comes in, from where, with how much luggage: the gate in front of the page."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.history.history import History
from infra.page import punctual
from infra.page.keys import Keys, TokenError
from infra.page.rate import Rate
from infra.page.serving import Serving, listening
from infra.running.problems import ReplayError
from tests.infra.page.kept_run import TOKEN, serving


@pytest.fixture(scope="module")
def served(history: History) -> Iterator[Serving]:
    with serving(history) as server:
        yield server


@pytest.fixture
def stranger(served: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", timeout=30) as client:
        yield client


@pytest.fixture
def browser(stranger: httpx.Client, served: Serving) -> httpx.Client:
    """Give a client that opened the address that was printed, and has its cookie."""
    stranger.get(f"/?token={TOKEN}")
    return stranger


def test_the_printed_address_lets_in_and_leaves_no_token_behind(
    stranger: httpx.Client, served: Serving
) -> None:
    answer = stranger.get(served.address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert stranger.get("/api/desk").status_code == 200
    assert stranger.get(f"/?token={TOKEN}").headers["location"] == "/"


def test_what_a_command_line_tells_opens_the_page_once_and_is_no_token(
    stranger: httpx.Client, served: Serving
) -> None:
    once = served.address_once()
    bearer = {"authorization": f"Bearer {once.partition('=')[2]}"}
    assert stranger.get("/api/desk", headers=bearer).status_code == 401
    assert TOKEN not in once
    assert stranger.get(once).status_code == 303
    assert stranger.get("/api/desk").status_code == 200
    stranger.cookies.clear()
    assert stranger.get(once).status_code == 401
    assert stranger.get(served.address).status_code == 303


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/api/desk", "/static/x", "/x"])
def test_a_stranger_sees_nothing(stranger: httpx.Client, path: str) -> None:
    answer = stranger.get(path, headers={"cookie": f"tapedeck_1={TOKEN}"})
    assert answer.status_code == 401
    assert "address that `deck dashboard` printed" in answer.text
    assert "set-cookie" not in answer.headers


def test_only_the_right_token_or_cookie_is_let_in(stranger: httpx.Client, served: Serving) -> None:
    name, cookie = f"tapedeck_{served.port}", served.house.keys.cookie
    for said in ("", "x", TOKEN, cookie[:-1], cookie + "0", cookie.upper(), served.house.keys.csrf):
        assert stranger.get("/api/desk", headers={"cookie": f"{name}={said}"}).status_code == 401
        if said not in ("", TOKEN):  # no client of HTTP sends an empty one
            bearer = {"authorization": f"Bearer {said}"}
            assert stranger.get("/api/desk", headers=bearer).status_code == 401
    bearer = {"authorization": f"Bearer {TOKEN}"}
    assert stranger.get("/api/desk", headers=bearer).status_code == 200


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
@pytest.mark.parametrize("port", ["", ":1", ":65535"])
def test_names_of_this_machine_are_ours_at_any_port_of_a_tunnel(
    browser: httpx.Client, name: str, port: str
) -> None:
    assert browser.get("/api/desk", headers={"host": name + port}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "evil.example:8484", "localhost@evil.example", "",
     "127.0.0.2", "0.0.0.0", "localhost:x", "localhost:0", "[::1", "127.0.0.1/", "localhost."],
)  # fmt: skip
def test_a_name_that_was_made_to_point_here_is_refused(browser: httpx.Client, host: str) -> None:
    answer = browser.get("/api/desk", headers={"host": host})
    assert answer.status_code in (400, 403)  # h11 itself refuses what no name can be


def test_what_another_site_sends_is_refused(browser: httpx.Client, served: Serving) -> None:
    own = f"http://127.0.0.1:{served.port}"
    for origin in (
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        f"https{own[4:]}",
        f"{own}/",
    ):
        assert browser.get("/api/desk", headers={"origin": origin}).status_code == 403
    for site in ("cross-site", "same-site"):
        for path in ("/api/desk", "/api/stream", "/static/js/main.js"):
            assert browser.get(path, headers={"sec-fetch-site": site}).status_code == 403
    good = {"origin": own, "sec-fetch-site": "same-origin"}
    assert browser.get("/api/desk", headers=good).status_code == 200


def test_every_answer_is_sealed(browser: httpx.Client) -> None:
    for path in ("/api/desk", "/nowhere", "/api/runs/x", f"/?token={TOKEN}"):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_errors_are_json_with_a_word_for_the_page(browser: httpx.Client) -> None:
    for method, path, status, code in (
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", f"/api/runs/{'f' * 32}", 404, "not_found"),
        ("GET", "/api/runs/x", 400, "bad_request"),
        ("GET", "/static/../keys.py", 404, "not_found"),
        ("GET", "/api/desk/", 404, "not_found"),
        ("POST", "/api/desk", 405, "wrong_method"),
        ("GET", "/api/commands", 405, "wrong_method"),
        ("PUT", "/", 405, "wrong_method"),
        ("GET", f"/api/runs?{'a' * 3_000}", 413, "too_large"),
        ("GET", f"/{'a' * 900}", 413, "too_large"),
    ):
        answer = browser.request(method, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), path


@pytest.mark.parametrize("told", [True, False])
def test_a_body_that_is_too_long_is_not_read(browser: httpx.Client, told: bool) -> None:
    def pieces() -> Iterator[bytes]:
        yield from [b"x" * 1_000] * 100

    headers = {
        "x-csrf-token": browser.get("/api/desk").json()["csrf"],
        "content-type": "application/json",
    }
    answer = browser.post(
        "/api/commands", content=b"x" * 5_000 if told else pieces(), headers=headers
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_too_many_requests_are_told_to_wait_and_strangers_keep_nobody_out(
    stranger: httpx.Client, served: Serving
) -> None:
    usual = served.gate.known
    served.gate.strangers = Rate(3, 0.0)
    try:
        statuses = [stranger.get("/api/desk").status_code for _ in range(5)]
        assert statuses == [401] * 3 + [429] * 2
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert stranger.get("/api/desk", headers=bearer).status_code == 200
        assert stranger.get(served.address).status_code == 303
        stranger.cookies.clear()
        served.gate.known = Rate(0, 0.0)
        answer = stranger.get("/api/desk", headers=bearer)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    finally:
        served.gate.known = served.gate.strangers = usual


@pytest.mark.parametrize(
    "begun", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"]
)
def test_who_begins_a_request_and_does_not_end_it_is_cut_off(
    served: Serving, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(punctual, "HEAD_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall(begun)
        while connection.recv(1 << 16):
            pass


def test_it_listens_on_this_machine_only_and_takes_the_next_port_if_one_is_taken() -> None:
    with listening(0) as first:
        assert first.getsockname()[0] == "127.0.0.1"
        taken = first.getsockname()[1]
        with pytest.raises(ReplayError, match=f"--port {taken}: .*choose another"):
            listening(taken)
    with listening(None) as usual, listening(None) as next_:
        assert usual.getsockname()[1] < next_.getsockname()[1] < usual.getsockname()[1] + 20


def test_the_token_is_made_once_and_only_its_owner_may_see_it(tmp_path: Path) -> None:
    keys = Keys.of(tmp_path / "home")
    path = tmp_path / "home" / "dashboard" / "token"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(keys.token) > 40
    assert Keys.of(tmp_path / "home").token == keys.token
    assert Keys.of(tmp_path / "other").token != keys.token
    assert keys.token not in repr(keys)
    path.chmod(0o640)
    with pytest.raises(TokenError, match="others may use"):
        Keys.of(tmp_path / "home")
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(TokenError, match="holds no token"):
        Keys.of(tmp_path / "home")
