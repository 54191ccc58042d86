"""The page in a real browser, before a server that says what a test wants."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.sync_api import Dialog

from tests.infra.page import made_up
from tests.infra.page.browser import Visit
from tests.infra.page.made_up import FIRST, MARKET, STATIC, MadeUp, columns, deployed, position

Visiting: TypeAlias = Callable[..., Visit]

_MINUTE = 60_000
_READY = """() => document.querySelector('#link-state')?.dataset.state === 'live' &&
    document.querySelector('#candles-legend').innerText.includes('UTC')"""
_FORMING = "(at) => document.querySelector('#candles-chart').dataset.forming === at"
_HIDDEN = """() => {
  const [frame, held] = [window.requestAnimationFrame, []];
  window.requestAnimationFrame = (draw) => held.push(draw);
  window.shown = () => {
    window.requestAnimationFrame = frame;
    for (const draw of held) draw(performance.now());
  };
}"""
_MIDNIGHT = """async () => {
  const { redate, time } = await import("/static/js/format.js");
  const at = Date.UTC(2026, 10, 22, 23, 59, 58);
  const shown = time(at, at);
  document.body.append(shown);
  const before = shown.textContent;
  redate(at + 2_000);
  return [before, shown.textContent];
}"""
_FRAMES = "() => new Promise((d) => requestAnimationFrame(() => requestAnimationFrame(d)))"
_FAINT = Path(__file__).with_name("faint.js").read_text()
_NAMELESS = Path(__file__).with_name("nameless.js").read_text()
_HOSTILE = "<img src=x onerror=\"alert('in')\"><script>alert('in')</script>"


@pytest.fixture
def server() -> MadeUp:
    return MadeUp()


@pytest.fixture
def address(server: MadeUp) -> Iterator[str]:
    with server.served() as address:
        yield address


@pytest.fixture
def page(address: str, visit: Visiting) -> Visit:
    opened = visit(address)
    opened.until(_READY)
    return opened


def test_the_page_loads_without_a_complaint_and_shows_every_part(page: Visit) -> None:
    page.says("#positions-open", "long 0.01")
    assert "learned_cross" in page.text("#head-name")
    assert "running" in page.text("#head-state")
    assert page.run("() => document.querySelectorAll('#positions-table tr').length") == 60
    assert page.run("() => document.querySelectorAll('#book-asks tr, #book-bids tr').length") == 20
    assert "better than the base rate" in page.text("#model-facts")
    assert "12.50 USDT" in page.text("#equity-facts")
    assert "rule: ZeroDivisionError" in page.text("#troubles-table")
    assert "already long" in page.text("#signals-table")
    assert MARKET in page.text("#feed-table")
    assert page.complaints == []


def test_nothing_is_fetched_from_elsewhere(address: str, visit: Visiting) -> None:
    opened = visit("about:blank")
    asked: list[str] = []
    opened.page.on("request", lambda request: asked.append(request.url))
    opened.page.goto(address)
    opened.until(_READY)
    assert asked
    assert [url for url in asked if not url.startswith(address)] == []


def test_what_is_pushed_shows_without_a_reload(server: MadeUp, page: Visit) -> None:
    page.run("() => { window.stayed = true; }")
    server.grow(3)
    page.says("#candles-legend", "19:48:00")
    book = {"time": 1, "source": "log", "bids": [[7.25, 1.0]], "asks": [[7.5, 1.0]]}
    server.push("book", {"book": book})
    page.says("#book-bids", "7.25")
    over = [position(61, server.end, server.end + _MINUTE, why="deadline")]
    server.push("positions", {"more": False, "positions": columns(over)})
    page.says("#positions-table", "deadline")
    assert page.run("() => window.stayed") is True


def test_the_candle_in_the_making_gives_way_to_the_one_that_is_closed(
    server: MadeUp, page: Visit
) -> None:
    end = server.end
    for ahead in (0, 1, 2):
        server.push("tick", _tick(end + ahead * _MINUTE))
        page.until(_FORMING, str(end + ahead * _MINUTE))
    server.grow(2)
    page.says("#candles-legend", "19:47:00")
    server.push("tick", _tick(end + 40 * _MINUTE))  # behind candles that are missing yet
    page.until(_FORMING, str(end + 40 * _MINUTE))
    server.grow(2)
    page.says("#candles-legend", "19:49:00")
    assert page.complaints == []


def _tick(start: int) -> dict[str, object]:
    forming = {"time": start, "end": start + _MINUTE, "open": 60_000.0, "high": 60_009.0}
    forming |= {"low": 59_999.0, "close": 60_005.0, "volume": 1.0, "count": 2}
    return {"market": MARKET, "time": start, "price": 60_005.0, "forming": forming}


def test_scrolled_back_it_loads_older_candles_and_keeps_no_more_than_some(
    visit: Visiting,
) -> None:
    server = MadeUp(many=9_000)
    with server.served() as address:
        page = visit(address)
        page.until(_READY)
        page.page.focus("#candles-chart")
        at = "() => ({...document.querySelector('#candles-chart').dataset})"
        for _ in range(12):
            page.page.keyboard.press("-")  # the further one sees, the longer are the steps
        for _ in range(1_000):
            page.page.keyboard.press("ArrowLeft")
            if page.run(at)["first"] == "0":
                break
        assert page.run(at) == {"first": "0", "many": "6000"}
        server.grow(1)
        page.page.keyboard.press("End")
        page.until("() => document.querySelector('#candles-chart').dataset.first === '8501'")
        assert page.complaints == []


def test_who_looks_at_the_newest_keeps_no_more_than_some_however_many_come_at_once(
    server: MadeUp, page: Visit
) -> None:
    server.grow(1)
    page.says("#candles-legend", "19:46:00")
    server.grow(6_600)
    page.says("#candles-legend", "2025-11-30 09:46:00")
    at = "() => ({...document.querySelector('#candles-chart').dataset})"
    assert page.run(at) == {"first": "5601", "many": "6000"}
    assert page.complaints == []


def test_a_tab_that_was_hidden_still_follows_the_newest_when_it_is_looked_at_again(
    server: MadeUp, page: Visit
) -> None:
    server.grow(1)
    page.says("#candles-legend", "19:46:00")
    page.run(_HIDDEN)  # as to a tab behind others, no frame is given to the page
    many = "(many) => document.querySelector('#candles-chart').dataset.many === many"
    for grown, kept in ((6_600, "6000"), (40, "6040")):
        server.grow(grown)
        page.until(many, kept)
    page.run("() => window.shown()")
    assert not page.page.is_visible("#candles-newest")
    server.grow(1_000)
    page.until(many, "6000")
    page.says("#candles-legend", "2025-12-01 03:06:00")
    assert not page.page.is_visible("#candles-newest")
    assert page.complaints == []


def test_wider_candles_are_put_together_by_the_server_and_go_on(
    server: MadeUp, page: Visit
) -> None:
    page.page.select_option("#candles-width", "300")
    page.says("#candles-legend", "19:41:00")
    assert server.asked[-1] == "market=binance%3ABTC%2FUSDT&kind=1m&step=300&limit=500"
    server.grow(5)
    page.says("#candles-legend", "19:46:00")
    assert "after=4990" in server.asked[-1]
    page.run(_FRAMES)
    assert not page.page.is_visible("#candles-newest")
    assert page.complaints == []


def test_candles_that_were_missed_are_fetched(server: MadeUp, page: Visit) -> None:
    server.grow(1)
    page.says("#candles-legend", "19:46:00")
    server.many += 699
    server.grow(1, reset=True)
    page.says("#candles-legend", "07:26:00")
    assert "after=5000" in server.asked[-1]
    many = "() => document.querySelector('#candles-chart').dataset.many"
    assert page.run(many) == "1201"
    page.run(_FRAMES)
    assert not page.page.is_visible("#candles-newest")
    assert page.complaints == []


def test_a_trade_that_is_clicked_is_shown_where_it_was(server: MadeUp, page: Visit) -> None:
    page.page.click("#positions-table tr:last-child button")
    page.until("() => document.querySelector('#candles-chart').dataset.first !== '4500'")
    assert "until=" in server.asked[-1]
    assert page.run("() => document.querySelector('tr[aria-current]').rowIndex") == 60
    page.page.click("#candles-newest")
    page.says("#candles-legend", "19:45:00")
    assert page.complaints == []


def test_html_in_what_is_told_is_shown_as_text(
    server: MadeUp, address: str, visit: Visiting
) -> None:
    server.desk["flows"] = [deployed(name=_HOSTILE, why=_HOSTILE, bad=True, account=_HOSTILE)]
    troubles = {"seq": [1], "time": [FIRST], "market": [_HOSTILE], "kind": ["reject"]}
    troubles |= {"what": [_HOSTILE], "detail": [_HOSTILE]}
    server.sections["troubles"] = {"more": False, "troubles": troubles}
    hostile = position(1, FIRST, FIRST + 1, reason=_HOSTILE, why=_HOSTILE, side=_HOSTILE)
    server.sections["positions"] = {"more": False, "positions": columns([hostile])}
    opened = visit("about:blank")
    dialogs: list[str] = []

    def seen(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    opened.page.on("dialog", seen)
    opened.page.goto(address)
    opened.says("#troubles-table", "onerror")
    opened.says("#positions-table", "onerror")
    opened.page.click("#troubles-table summary")
    assert _HOSTILE in opened.text("#troubles-table pre")
    assert _HOSTILE in opened.text("#link-list")
    assert opened.run("() => document.querySelectorAll('img, #desk script').length") == 0
    assert dialogs == []


def test_halt_says_what_will_happen_and_sends_nothing_before(server: MadeUp, page: Visit) -> None:
    page.page.click("[data-action=halt]")
    page.says("#command-dialog", "What is held keeps its stops.")
    page.says("#command-dialog", f"long 0.01 at 60000 in {MARKET}")
    page.page.click("#command-cancel")
    assert server.told == []
    page.page.click("[data-action=halt]")
    page.page.click("#command-go")
    page.says("#command-note", "done as asked · on the tape of 1 market")
    assert server.told == [{"confirm": "halt", "typed": ""}]


def test_flatten_wants_the_name_typed(server: MadeUp, page: Visit) -> None:
    page.page.click("[data-action=flatten]")
    page.says("#command-dialog", "Type learned_cross")
    page.page.fill("#command-typed", "learned")
    page.page.keyboard.press("Enter")
    assert page.page.is_disabled("#command-go")
    assert server.told == []
    page.page.fill("#command-typed", "learned_cross")
    page.page.keyboard.press("Enter")
    page.says("#command-note", "done as asked")
    assert server.told == [{"confirm": "flatten", "typed": "learned_cross"}]


def test_read_only_hides_the_commands(server: MadeUp, address: str, visit: Visiting) -> None:
    server.desk["read_only"] = True
    opened = visit(address)
    opened.until(_READY)
    opened.says("body > header", "read-only")
    assert not opened.page.is_visible("[data-action=flatten]")


def test_a_flow_that_hears_no_commands_says_so(
    server: MadeUp, address: str, visit: Visiting
) -> None:
    server.desk["flows"] = [deployed(commandable=False, state="failed", bad=True, why="it broke")]
    opened = visit(address)
    opened.until(_READY)
    assert opened.page.is_disabled("[data-action=halt]")
    opened.says("#link-list", "learned_cross is failed: it broke")
    assert opened.page.title() == "\u25b2 failed: learned_cross \u00b7 Tapedeck"


def test_with_nothing_deployed_it_says_what_to_do(
    server: MadeUp, address: str, visit: Visiting
) -> None:
    server.desk["flows"] = []
    opened = visit(address)
    opened.says("#welcome", "deck deploy FLOW")
    server.desk["flows"] = [deployed()]
    server.push("desk", server.desk)
    opened.until(_READY)
    assert opened.complaints == []


def test_a_run_without_candles_says_when_they_come(address: str, visit: Visiting) -> None:
    empty = MadeUp(many=0)
    for name, section in empty.sections.items():
        empty.sections[name] = {
            key: _emptied(value) if isinstance(value, dict) else value
            for key, value in section.items()
        }
    with empty.served() as bare:
        opened = visit(bare)
        opened.says("#head-name", "learned_cross")
        opened.says("#candles-note", "No candle yet")
        opened.says("#positions-note", "No trade yet")
        opened.says("#troubles-note", "Nothing went wrong.")
        assert opened.complaints == []


def _emptied(columns: dict[str, object]) -> dict[str, object]:
    return {name: [] if isinstance(value, list) else value for name, value in columns.items()}


def test_a_server_that_dies_is_told_and_comes_back_by_itself(visit: Visiting) -> None:
    server = MadeUp()
    with server.served() as address:
        port = int(address.rpartition(":")[2])
        opened = visit(address)
        opened.until(_READY)
    opened.says("#link-state", "no connection since")
    opened.says("#link-list", "what you see is old")
    again = MadeUp(many=server.many + 20)
    with again.served(port):
        opened.says("#link-state", "live")
        opened.says("#candles-legend", "20:05:00")
        assert "old" not in opened.text("#link-list")
        assert [text for text in opened.complaints if "ERR_" not in text] == []


def test_troubles_behind_the_server_are_told_until_they_are_over(
    server: MadeUp, page: Visit
) -> None:
    gone = {
        "what": "history",
        "up": False,
        "message": "history cannot be reached: it is tried again",
    }
    server.push("trouble", gone)
    page.says("#link-list", "history cannot be reached")
    server.push("trouble", gone | {"up": True, "message": ""})
    page.until("() => document.querySelector('#link-list').innerText === ''")


def test_the_open_position_tells_what_it_would_make_now(server: MadeUp, page: Visit) -> None:
    assert "so far" not in page.text("#positions-open")
    server.push("tick", _tick(server.end) | {"price": 60_300.0})
    page.says("#positions-open", "+3.00 (+0.50 %)")
    server.push("tick", _tick(server.end) | {"price": 59_940.0})
    page.says("#positions-open", "\u22120.6000 (\u22120.10 %)")


def test_older_troubles_and_signals_are_fetched_and_stay_when_newer_ones_come(
    server: MadeUp, page: Visit
) -> None:
    rows = "(table) => document.querySelectorAll(`#${table} tr`).length"
    for name in ("troubles", "signals"):
        assert not page.page.is_visible(f"#{name}-older")
        newest, older = server.sections[name], _listed(server.sections[name], 300, server.end)
        server.push(name, newest | {"more": True})
        server.sections[name] = older
        page.page.click(f"#{name}-older")
        page.until(f"() => document.querySelectorAll('#{name}-table tr').length > 300")
        assert not page.page.is_visible(f"#{name}-older")
        server.push(name, _listed(newest, 1, server.end + _MINUTE) | {"more": True})
        page.says(f"#{name}-table tr:first-child", "number 0")
        assert page.run(rows, f"{name}-table") > 301
    assert page.complaints == []


def _listed(answer: dict[str, object], many: int, end: int) -> dict[str, object]:
    """Return so many rows like the first of an answer, each older than the one before."""
    [name] = [name for name, value in answer.items() if isinstance(value, dict)]
    first = {column: values[0] for column, values in answer[name].items()}  # type: ignore[attr-defined] # a dict of lists
    text = "what" if name == "troubles" else "why"
    rows = [
        first | {"seq": -k, "time": end - k * _MINUTE, text: f"number {k}"} for k in range(many)
    ]
    return {"more": False, name: columns(rows)}


def test_a_halted_market_and_prices_of_many_digits_are_told_as_they_are(
    server: MadeUp, address: str, visit: Visiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_up, "_price", lambda number: 1.2345e-05 + number % 9 * 1e-8)
    lines = [{"market": MARKET, "mode": "halted", "position": "\u2013"}]
    server.desk["flows"] = [deployed(lines=lines, markets=[MARKET, "kraken:ETH/BTC"])]
    held = position(7, FIRST, FIRST + 1, entry="0.00001234567", exit="0.000012", pnl="-0.0000123")
    server.sections["positions"] = {"more": False, "positions": columns([held])}
    sides = {"bids": [[1.234e-05, 15_000_002.5]], "asks": [[1.235e-05, 123_456.25]]}
    server.sections["book"] = {"book": {"time": 1, "source": "log"} | sides}
    opened = visit(address, viewport={"width": 1280, "height": 900})
    opened.says("#positions-table", "0.00001235")
    assert "\u22120.000012" in opened.text("#positions-table")
    assert opened.text("#head-state").split() == ["\u25cf", "running", "halted"]
    opened.says("#head-facts", "+12.50 BTC + USDT")
    cut = """(at) =>
      [...document.querySelectorAll(at)].filter((e) => e.scrollWidth > e.clientWidth).length"""
    assert opened.run(cut, "#book td, .scroll") == 0


def test_times_get_their_date_when_it_is_midnight(page: Visit) -> None:
    assert page.run(_MIDNIGHT) == ["23:59:58", "11-22 23:59:58"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(server: MadeUp, address: str, visit: Visiting, scheme: str) -> None:
    server.desk["flows"] = [deployed(bad=True, why="it broke")]
    opened = visit(address, color_scheme=scheme)
    opened.until(_READY)
    faint = opened.run(_FAINT)
    assert faint == []


def test_every_control_has_a_name_and_the_phone_needs_no_sideways_scrolling(
    address: str, visit: Visiting
) -> None:
    opened = visit(address, viewport={"width": 360, "height": 740}, has_touch=True)
    opened.until(_READY)
    assert opened.run(_NAMELESS) == []
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert opened.run(wide) == 0


def test_no_module_reads_data_as_html() -> None:
    ours = [*STATIC.glob("js/*.js"), STATIC / "index.html"]
    assert len(ours) > 20
    told = [
        path.name
        for path in ours
        if re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", path.read_text())
    ]
    assert told == []


def test_what_is_drawn_each_second_is_not_lost_under_the_hand(server: MadeUp, page: Visit) -> None:
    page.run("() => { window.was = document.querySelector('#flows-flows button'); }")
    page.page.click("#troubles-table tr:nth-child(2) summary")
    troubles = server.sections["troubles"]["troubles"]
    assert isinstance(troubles, dict)
    newer = {name: [values[0], *values] for name, values in troubles.items()}
    newer["what"][0] = "one more"
    server.push("troubles", {"more": False, "troubles": newer})
    server.desk["flows"] = [deployed(pnl="99.75")]
    server.push("desk", server.desk)
    page.says("#flows-flows", "99.75")
    page.says("#troubles-table", "one more")
    assert page.run("() => window.was === document.querySelector('#flows-flows button')")
    unfolded = "() => [...document.querySelectorAll('#troubles-table details')].map((d) => d.open)"
    assert page.run(unfolded) == [False, False, True]
