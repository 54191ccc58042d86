"""The page in a real browser, before the real server, a real history and a real log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TypeAlias

import pytest
from clickhouse_connect.driver.client import Client

from infra.deploy import status
from infra.deploy.deployment import Deployment, Place
from infra.log.log import MarketLog
from infra.log.places import Embedded
from infra.page.serving import Serving
from infra.running.far import Line
from schemas import Command, Heartbeat
from schemas.wire import decode, encode
from tests.infra.page.browser import Visit
from tests.infra.page.kept_run import MARKETS, PAYLOAD, Kept, serving

Visiting: TypeAlias = Callable[..., Visit]

_DAY = 86_400 * 10**9
_READY = """() => document.querySelector('#link-state')?.dataset.state === 'live' &&
    document.querySelector('#candles-legend').innerText.includes('UTC')"""
_GROWING, _LONG = "f0" * 16, "f1" * 16
"""Runs made of the kept one: one that goes on while it is looked at, and one of many candles."""
_MANY = 4_000


@pytest.fixture(scope="module")
def deployed(kept: Kept) -> Iterator[Place]:
    """Have the run be a deployment's that is alive, with a log that hears commands."""
    settings = kept.history.settings
    place = Place(settings.home, "kept")
    place.save(Deployment("kept", "/flows/kept.py", "exchange:page", markets=MARKETS))
    lines = {MARKETS[0]: Line(position="long 0.01 at 60000")}
    said = time.time_ns() + _DAY  # no parent says it again
    status.save(place.status, status.Status(status.RUNNING, said=said, run=kept.run, markets=lines))
    yield place
    place.forget()
    MarketLog(settings).stop()


@pytest.fixture(scope="module")
def served(kept: Kept) -> Iterator[Serving]:
    with serving(kept.history) as server:
        yield server


def test_the_candles_and_trades_of_a_run_are_what_it_told(
    kept: Kept, served: Serving, visit: Visiting
) -> None:
    page = visit(f"{served.address}#run={kept.run}&market={MARKETS[0]}")
    page.until(_READY)
    candles = kept.of(MARKETS[0], "Candle")
    at = page.run("() => ({...document.querySelector('#candles-chart').dataset})")
    assert at == {"first": str(candles[0]["seq"]), "many": str(len(candles))}
    page.says("#candles-legend", f"C {candles[-1]['close']:,.1f}")
    opened = {event["position"] for event in kept.of(MARKETS[0], "Opened")}
    assert opened
    page.until(
        "(many) => document.querySelectorAll('#positions-table tr').length === many", len(opened)
    )
    page.says("#troubles-table", "no <b>JSON</b>")
    page.page.click("#troubles-table .reject ~ td summary")
    assert PAYLOAD[:20] in page.text("#troubles-table details[open] pre")
    assert page.run("() => document.querySelectorAll('img, td b').length") == 0
    assert page.complaints == []
    assert "token" not in page.page.url


def test_what_history_gets_arrives_without_a_reload(
    kept: Kept, owner: Client, served: Serving, visit: Visiting
) -> None:
    candles = kept.of(MARKETS[0], "Candle")
    half, last = candles[len(candles) // 2], candles[-1]
    _begin(owner, kept, _GROWING)
    _copy(owner, kept, "candles", f"seq <= {half['seq']}")
    page = visit(f"{served.address}#run={_GROWING}&market={MARKETS[0]}")
    page.says("#candles-legend", f"C {half['close']:,.1f}")
    page.run("() => { window.stayed = true; }")
    for table in ("candles", "opened", "closed", "orders", "faults"):
        _copy(owner, kept, table, f"seq > {half['seq']}" if table == "candles" else "true")
    page.says("#candles-legend", f"C {last['close']:,.1f}")
    page.says("#positions-table", "enough")
    assert page.run("() => window.stayed") is True
    assert page.complaints == []


def test_scrolled_back_it_reaches_the_first_candle_of_the_run(
    kept: Kept, owner: Client, served: Serving, visit: Visiting
) -> None:
    _begin(owner, kept, _LONG)
    moved = ", ".join(f"{name} + toIntervalMinute(n) AS {name}" for name in ("ts", "start", "end"))
    one = f"SELECT * FROM candles WHERE run = '{kept.run}' AND market = '{MARKETS[0]}' LIMIT 1"
    owner.command(
        f"INSERT INTO candles SELECT * EXCEPT n REPLACE ('{_LONG}' AS run, toInt64(n) AS seq, "
        f"{moved}) FROM (SELECT *, arrayJoin(range({_MANY})) AS n FROM ({one}))"
    )
    page = visit(f"{served.address}#run={_LONG}&market={MARKETS[0]}")
    page.until(_READY)
    page.page.focus("#candles-chart")
    for _ in range(12):
        page.page.keyboard.press("-")
    at = "() => ({...document.querySelector('#candles-chart').dataset})"
    for _ in range(500):
        page.page.keyboard.press("ArrowLeft")
        if page.run(at)["first"] == "0":
            break
    assert page.run(at) == {"first": "0", "many": str(_MANY)}
    assert page.complaints == []


def test_halting_through_the_dialog_puts_the_command_on_the_log(
    kept: Kept, deployed: Place, served: Serving, visit: Visiting
) -> None:
    settings = kept.history.settings
    with closing(MarketLog(settings).client()) as client:
        for market in MARKETS:
            client.append(market, encode(Heartbeat(market, 1)))
    page = visit(f"{served.address}#flow={deployed.asked().name}")
    page.until(_READY)
    page.page.click("[data-action=halt]")
    page.says("#command-dialog", f"long 0.01 at 60000 in {MARKETS[0]}")
    assert _commands(kept) == []
    page.page.click("#command-go")
    page.says("#command-note", "halt: the flow kept")
    assert _commands(kept) == [(market, "halt", "kept") for market in sorted(MARKETS)]
    page.page.click("[data-action=flatten]")
    page.page.fill("#command-typed", "kept")
    page.page.keyboard.press("Enter")
    page.says("#command-note", "flatten: the flow kept")
    assert ("flatten", "kept") in {command[1:] for command in _commands(kept)}
    assert page.complaints == []


def test_a_server_for_looking_only_offers_no_commands(
    kept: Kept, deployed: Place, visit: Visiting
) -> None:
    with serving(kept.history, read_only=True) as server:
        page = visit(f"{server.address}#flow={deployed.asked().name}")
        page.until(_READY)
        page.says("body > header", "read-only")
        assert not page.page.is_visible("[data-action=halt]")


def test_a_server_that_is_started_again_is_found_again(kept: Kept, visit: Visiting) -> None:
    with serving(kept.history) as server:
        port = server.port
        page = visit(f"{server.address}#run={kept.run}")
        page.until(_READY)
    page.says("#link-state", "no connection since")
    with serving(kept.history, port=port):
        page.says("#link-state", "live")
        page.until("() => document.querySelector('#link-list').innerText === ''")


def test_a_link_of_another_site_opens_the_page_too(
    kept: Kept, served: Serving, visit: Visiting
) -> None:
    page = visit("about:blank")
    link = f"<a href='{served.address}#run={kept.run}'>look</a>"
    page.page.route(
        "http://elsewhere.test/",
        lambda route: route.fulfill(body=link, status=200, content_type="text/html"),
    )
    page.page.goto("http://elsewhere.test/")
    page.page.click("a")
    page.until(_READY)
    assert "token" not in page.page.url


def test_without_the_token_there_is_nothing_to_see(served: Serving, visit: Visiting) -> None:
    page = visit(f"http://127.0.0.1:{served.port}/")
    assert "deck dashboard" in page.text("body")
    assert page.run("() => document.querySelectorAll('script').length") == 0


def _begin(owner: Client, kept: Kept, run: str) -> None:
    """Make a run that goes on, of the same flow."""
    owner.command(
        f"INSERT INTO runs SELECT * REPLACE ('{run}' AS run, 'running' AS status) "
        f"FROM (SELECT * FROM runs FINAL WHERE run = '{kept.run}')"
    )


def _copy(owner: Client, kept: Kept, table: str, which: str) -> None:
    owner.command(
        f"INSERT INTO {table} SELECT * REPLACE ('{_GROWING}' AS run) FROM (SELECT * FROM {table} "
        f"WHERE run = '{kept.run}' AND market = '{MARKETS[0]}' AND {which})"
    )


def _commands(kept: Kept) -> list[tuple[str, str, str]]:
    """Return what stands in the market log: for which market, what, and for which flow."""
    found = []
    with closing(Embedded(kept.history.settings).log()) as log:
        for name in log.partitions():
            with closing(log.open(name, 0)) as cursor:
                found += [decode(entry.message) for entry in cursor.read(1_000)]
    return sorted((e.market, e.action, e.flow) for e in found if isinstance(e, Command))
