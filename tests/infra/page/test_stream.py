"""Pushed updates: what is new comes by itself, the newest of each kind, and each candle once."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson
import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given
from hypothesis import strategies as st

from infra.history.history import History
from infra.page import stream
from infra.page.ring import Ring
from infra.page.serving import Serving
from infra.page.viewer import Viewer
from tests.infra.page.kept_run import MARKETS, TOKEN, Kept, serving

BEARER = {"authorization": f"Bearer {TOKEN}"}
GROWING = "9" * 32
PATIENCE = 60.0


@pytest.fixture(scope="module")
def served(kept: Kept) -> Iterator[Serving]:
    with serving(kept.history) as server:
        yield server


@contextmanager
def listening_to(served: Serving, query: str) -> Iterator[Callable[..., Any]]:
    """Give what returns the next event of a name that satisfies a condition; others wait."""
    address = f"http://127.0.0.1:{served.port}/api/stream{query}"
    with httpx.stream("GET", address, headers=BEARER, timeout=PATIENCE) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream"
        lines, came = answer.iter_lines(), defaultdict[str, deque[Any]](deque)

        def until(name: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:  # noqa: ANN401
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                while came[name]:
                    if fits(body := came[name].popleft()):
                        return body
                kind, _, what = next(lines).partition(": ")
                if kind == "event":
                    came[what].append(orjson.loads(next(lines).removeprefix("data: ")))
            pytest.fail(f"no {name} came")

        yield until


def test_on_connecting_every_section_comes_as_its_get_has_it(kept: Kept, served: Serving) -> None:
    query = f"?run={kept.run}&market={MARKETS[0]}"
    with listening_to(served, query) as until:
        assert until("hello")["read_only"] is False
        seen = {name: until(name) for name in ("candles", "positions", "feed")}
    address = f"http://127.0.0.1:{served.port}/api/runs/{kept.run}"
    for name, limit in (("candles", "&limit=300"), ("positions", ""), ("feed", "")):
        got = httpx.get(f"{address}/{name}?market={MARKETS[0]}{limit}", headers=BEARER, timeout=60)
        reset = seen[name].pop("reset", False)
        assert (seen[name], reset) == (got.json(), False)


def test_who_looks_second_may_command_like_the_first(served: Serving) -> None:
    with listening_to(served, "") as first:
        first("desk")
        with listening_to(served, "") as second:
            assert second("desk")["csrf"] == served.house.keys.csrf


def grow(owner: Client, kept: Kept, table: str, after: int, upto: int) -> None:
    """Let a run have what the kept one had, up to a place of its tape."""
    owner.command(
        f"INSERT INTO {table} SELECT * REPLACE ('{GROWING}' AS run) FROM {table} "
        f"WHERE {table}.run = '{kept.run}' AND market = '{MARKETS[0]}' "
        f"AND seq > {after} AND seq <= {upto}"
    )


def test_what_history_gets_is_pushed_each_candle_once(
    kept: Kept, served: Serving, owner: Client
) -> None:
    owner.command(
        f"INSERT INTO runs SELECT * REPLACE ('{GROWING}' AS run) FROM runs "
        f"WHERE runs.run = '{kept.run}'"
    )
    candles = kept.of(MARKETS[0], "Candle")
    places = [candles[row]["seq"] for row in (100, 110, 111)]
    closed = kept.of(MARKETS[0], "Closed")[-1]["seq"]
    grow(owner, kept, "candles", -1, places[0])
    with listening_to(served, f"?run={GROWING}&market={MARKETS[0]}") as until:
        first = until("candles")
        assert first["candles"]["seq"] == [c["seq"] for c in candles[:101]]
        assert first["averages"] == {}
        grow(owner, kept, "candles", places[0], places[1])
        assert until("candles")["candles"]["seq"] == [c["seq"] for c in candles[101:111]]
        grow(owner, kept, "candles", places[1], places[2])
        grow(owner, kept, "averages", places[1], places[2] + 1)
        last = until("candles", lambda body: body["averages"])
        assert last["candles"]["seq"][-1] == places[2]
        assert last["averages"]["sma2"][-1] is not None
        for table in ("opened", "closed", "orders"):
            grow(owner, kept, table, -1, closed)
        assert until("positions", lambda body: body["positions"]["pnl"])
        assert until("equity", lambda body: body["currencies"])["currencies"]["USDT"]["positions"]


def test_a_viewer_hears_when_history_is_gone_and_when_it_is_back(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from infra.settings import Settings  # noqa: PLC0415

    own = History(Settings(tmp_path_factory.mktemp("deck")))
    own.start()
    try:
        with serving(own) as server, listening_to(server, "") as until:
            assert until("desk")["history"] == {"up": True, "why": ""}
            own.stop()
            gone = until("trouble", lambda body: "deck history start" in body["message"])
            assert (gone["what"], gone["up"]) == ("history", False)
            desk = httpx.get(f"http://127.0.0.1:{server.port}/api/desk", headers=BEARER, timeout=60)
            assert desk.status_code == 200
            assert desk.json()["history"]["up"] is False
            runs = httpx.get(f"http://127.0.0.1:{server.port}/api/runs", headers=BEARER, timeout=60)
            assert (runs.status_code, runs.json()["error"]["code"]) == (503, "history_down")
            assert own.home.running() is None  # looking did not start it
            own.start()
            assert until("trouble") == {"what": "history", "up": True, "message": ""}
            assert until("desk", lambda body: body["history"]["up"])
    finally:
        own.stop()


def test_a_stream_ends_with_the_server_and_too_many_are_refused(kept: Kept) -> None:
    with serving(kept.history) as server:
        hub = server.house.hub
        with listening_to(server, "") as until:
            until("hello")
            crowd = [Viewer(asyncio.new_event_loop()) for _ in range(31)]
            hub._viewers.update(crowd)
            address = f"http://127.0.0.1:{server.port}/api/stream"
            answer = httpx.get(address, headers=BEARER, timeout=60)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "busy")
            hub._viewers.difference_update(crowd)
            for viewer in crowd:
                viewer._loop.close()
            server.should_exit = True
            with pytest.raises((StopIteration, httpx.HTTPError)):
                until("never")


def test_who_reads_nothing_is_let_go_and_holds_little(
    kept: Kept, served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SLOW_SECONDS", 0.2)
    hub = served.house.hub
    request = (
        f"GET /api/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    )
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        lazy.connect(("127.0.0.1", served.port))
        lazy.sendall(request.encode())
        wait(lambda: len(hub._viewers) == 1)
        [viewer] = hub._viewers
        deadline = time.monotonic() + PATIENCE
        while hub._viewers and time.monotonic() < deadline:
            viewer.put("desk", b"x" * 1_000_000)
            assert len(viewer._pending) <= 3
            time.sleep(0.01)
        assert not hub._viewers


def wait(fits: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not fits():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_viewer_is_told_the_newest_of_each_kind() -> None:
    async def told() -> tuple[list[tuple[str, bytes]], list[tuple[str, bytes]], int]:
        viewer = Viewer(asyncio.get_running_loop())
        for number in range(1_000):
            viewer.put("tick", b"%d" % number)
        viewer.put("desk", b"{}")
        return await viewer.take(1.0), await viewer.take(0.01), viewer.dropped

    assert asyncio.run(told()) == ([("tick", b"999"), ("desk", b"{}")], [], 999)


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3)), max_size=40),
    st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_whoever_follows_a_ring_ends_up_with_what_it_has(
    steps: list[tuple[int, int]], asks: list[bool]
) -> None:
    ring, number, has = Ring(), 0, dict[int, float]()
    last = 0
    for (count, back), ask in zip(steps, asks, strict=False):
        begin = max(0, last - back)
        seqs = list(range(begin, last + count))
        last += count
        ring.take({"seq": seqs, "close": [float(last) for _ in seqs]}, {})
        if ask:
            number, lost, candles, _ = ring.since(number)
            assert not lost
            has.update(zip(candles.get("seq", []), candles.get("close", []), strict=True))
    _, lost, candles, _ = ring.since(number)
    has.update(zip(candles.get("seq", []), candles.get("close", []), strict=True))
    _, _, whole, _ = ring.since(0)
    kept = dict(zip(whole.get("seq", []), whole.get("close", []), strict=True))
    if not lost:
        assert {seq: has[seq] for seq in kept} == kept
    assert len(kept) <= 600


def test_who_was_away_for_longer_than_is_kept_hears_of_it() -> None:
    ring = Ring()
    ring.take({"seq": [0]}, {})
    number = ring.since(0)[0]
    ring.take({"seq": [*range(1, 700)]}, {})
    _, lost, candles, _ = ring.since(number)
    assert lost
    assert candles["seq"] == [*range(100, 700)]
    assert not ring.since(0)[1]  # whoever has nothing has lost nothing
