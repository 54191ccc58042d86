"""Halt, resume and flatten from the page: shown first, said once, and only by the page itself."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from infra.deploy import status as states
from infra.deploy.deployment import Deployment, Place
from infra.deploy.status import Status
from infra.history.history import History
from infra.log.log import MarketLog
from infra.page.house import House
from infra.page.keys import Keys
from infra.page.orders import Orders
from infra.page.refusal import HISTORY_DOWN, Refusal
from infra.running.far import Line
from infra.settings import Settings
from schemas import Command, Heartbeat
from schemas.wire import decode, encode
from tests.infra.page.kept_run import TOKEN, serving

MARKETS = ("okx:A/USD", "okx:B/USD")


def deploy(settings: Settings, name: str, flow: str, source: str = "exchange:okx") -> Place:
    """Let a flow look as if it ran: its parent is this process."""
    place = Place(settings.home, name)
    place.save(Deployment(name, f"/flows/{flow}.py", source, markets=MARKETS))
    lines = {MARKETS[0]: Line(position="long 2 at 7"), MARKETS[1]: Line()}
    status = Status(states.RUNNING, run="a" * 32, pid=os.getpid(), markets=lines)
    states.save(place.status, status)
    return place


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(tmp_path / "home")
    deploy(found, "one", "cross")
    return found


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    house = House(settings, Keys(TOKEN))
    yield house
    house.close()


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Give a home with a log that knows two markets, and a flow that trades them."""
    found = Settings(tmp_path_factory.mktemp("deck"))
    log = MarketLog(found)
    with closing(log.client()) as writer:
        for market in MARKETS:
            writer.append(market, encode(Heartbeat(market, time.time_ns())))
    deploy(found, "one", "cross")
    yield found
    log.stop()


@contextmanager
def browser(settings: Settings, *, read_only: bool = False) -> Iterator[tuple[httpx.Client, Keys]]:
    """Serve the page of a home; its history never ran."""
    with serving(History(settings), read_only=read_only) as server:
        address, bearer = f"http://127.0.0.1:{server.port}", {"authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=address, headers=bearer, timeout=60) as client:
            yield client, server.house.keys


def said(settings: Settings) -> list[tuple[str, str, str]]:
    """Return the commands on all tapes: market, action, flow."""
    found = []
    with closing(MarketLog(settings).log()) as log:
        for name in log.partitions():
            with closing(log.open(name, 0)) as cursor:
                events = [decode(entry.message) for entry in cursor.read(1_000)]
            found += [(e.market, e.action, e.flow) for e in events if isinstance(e, Command)]
    return sorted(found)


def test_a_command_is_shown_then_confirmed_then_on_every_tape_once(logged: Settings) -> None:
    with browser(logged) as (page, _):
        csrf = {"x-csrf-token": page.get("/api/desk").json()["csrf"]}
        for action, typed in (("halt", None), ("flatten", "cross")):
            asked = {"action": action, "flow": "cross"}
            shown = page.post("/api/commands/prepare", json=asked, headers=csrf).json()
            assert shown["type"] == typed
            assert shown["held"] == [{"market": MARKETS[0], "position": "long 2 at 7"}]
            assert shown["says"][0] == f"{action}: the flow cross, in all its markets"
            assert action not in {told for _, told, _ in said(logged)}
            body = {"confirm": shown["confirm"], "typed": typed or ""}
            done = page.post("/api/commands", json=body, headers=csrf)
            assert done.json()["done"] == f"{action}: the flow cross, on the tapes of 2 markets"
            again = page.post("/api/commands", json=body, headers=csrf)
            assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")
        one = {"action": "resume", "flow": "cross", "markets": [MARKETS[1]]}
        shown = page.post("/api/commands/prepare", json=one, headers=csrf).json()
        page.post("/api/commands", json={"confirm": shown["confirm"], "typed": ""}, headers=csrf)
    assert said(logged) == sorted(
        [(market, action, "cross") for market in MARKETS for action in ("halt", "flatten")]
        + [(MARKETS[1], "resume", "cross")]
    )


def test_flatten_wants_its_flow_typed_and_a_wrong_word_ends_it(house: House) -> None:
    shown = house.orders.prepare({"action": "flatten", "flow": "cross"})
    for typed in ("Cross", "cross"):  # behind the first the token is used up
        with pytest.raises(Refusal) as refused:
            house.orders.say({"confirm": shown["confirm"], "typed": typed})
        assert refused.value.code == "conflict"


def test_a_confirmation_is_good_for_a_minute(settings: Settings, house: House) -> None:
    now = [1_000.0]
    orders = Orders(settings, house.desk, lambda: now[0])
    shown = orders.prepare({"action": "halt", "flow": "cross"})
    assert shown["expires"] == 1_060_000
    now[0] += 60.0
    with pytest.raises(Refusal, match="too late"):
        orders.say({"confirm": shown["confirm"], "typed": ""})


def test_few_commands_wait_at_a_time(house: House) -> None:
    asked = {"action": "halt", "flow": "cross"}
    first = house.orders.prepare(asked)
    for _ in range(60):
        house.orders.prepare(asked)
    with pytest.raises(Refusal):
        house.orders.say({"confirm": first["confirm"], "typed": ""})


def test_only_who_hears_it_can_be_commanded(settings: Settings, house: House) -> None:
    deploy(settings, "two", "rehearsed", "replay:/ticks.parquet")
    for flow, code in (("other", "not_found"), ("rehearsed", "conflict")):
        with pytest.raises(Refusal) as refused:
            house.orders.prepare({"action": "halt", "flow": flow})
        assert refused.value.code == code
    deploy(settings, "three", "cross")
    says = house.orders.prepare({"action": "halt", "flow": "cross"})["says"]
    assert says[-1] == "It is heard by one, three (paper)."


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ([], "the body is JSON such as"),
        ({"action": ["halt"]}, "the body is JSON such as"),
        ({"action": "drop", "flow": "cross"}, "action 'drop': say halt, resume, flatten"),
        ({"action": "halt", "flow": ""}, "flow '': name one"),
        ({"action": "halt", "flow": "../x"}, "name one"),
        ({"action": "halt", "flow": "cross", "markets": "okx:A/USD"}, "a list of names"),
        ({"action": "halt", "flow": "cross", "markets": ["x"] * 101}, "at most 100"),
        ({"action": "halt", "flow": "cross", "markets": [7]}, "each a name"),
        ({"action": "halt", "flow": "cross", "markets": ["a\x00b"]}, "each a name"),
        ({"action": "halt", "flow": "cross", "markets": ["nothing"]}, "markets: "),
    ],
)
def test_what_is_no_command_is_refused_in_words(house: House, body: Any, why: str) -> None:  # noqa: ANN401
    with pytest.raises(Refusal, match=why) as refused:
        house.orders.prepare(body)
    assert refused.value.code == "bad_request"


def test_without_the_pages_own_word_nothing_is_commanded(settings: Settings) -> None:
    with browser(settings) as (page, keys):
        asked = {"action": "halt", "flow": "cross"}
        for path in ("/api/commands/prepare", "/api/commands"):
            for headers in ({}, {"x-csrf-token": "0" * 64}, {"x-csrf-token": TOKEN}):
                answer = page.post(path, json=asked, headers=headers)
                assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
            form = {"x-csrf-token": keys.csrf, "content-type": "text/plain"}
            answer = page.post(path, content=b"{}", headers=form)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


def test_a_page_that_is_read_only_commands_nothing(settings: Settings) -> None:
    with browser(settings, read_only=True) as (page, keys):
        assert page.get("/api/desk").json()["read_only"] is True
        csrf = {"x-csrf-token": keys.csrf}
        for path in ("/api/commands/prepare", "/api/commands"):
            answer = page.post(path, json={"action": "halt", "flow": "cross"}, headers=csrf)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "read_only")


def test_the_desk_tells_of_flows_though_history_never_ran(settings: Settings, house: House) -> None:
    deploy(settings, "two", "rehearsed", "replay:/ticks.parquet")
    desk = house.overview()
    assert desk["runs"] == []
    assert not desk["history"]["up"]
    one, two = desk["flows"]
    assert (one["name"], one["flow"], one["state"], one["bad"]) == (
        "one",
        "cross",
        "running",
        False,
    )
    assert one["lines"][0]["position"] == "long 2 at 7"
    assert (one["commandable"], two["commandable"]) == (True, False)
    assert not (settings.home / "history").exists()  # looking starts nothing
    status = Status(states.RUNNING, said=1, pid=2**22 - 1)
    states.save(Place(settings.home, "one").status, status)
    [dead, _] = house.desk.now()["flows"]
    assert (dead["state"], dead["bad"], dead["commandable"]) == ("dead", True, False)
    assert "is gone: deck restart" in dead["why"]


def test_flows_are_told_as_they_are_while_history_hangs(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, over = Event(), Event()

    def hang(_limit: int) -> None:
        asked.set()
        over.wait(20)
        raise Refusal(HISTORY_DOWN, "timed out")

    monkeypatch.setattr(house.runs, "newest", hang)
    asking = Thread(target=house.desk.learn)
    asking.start()
    assert asked.wait(20)
    assert house.desk.now()["flows"][0]["state"] == "running"
    assert asking.is_alive()
    over.set()
    asking.join()
