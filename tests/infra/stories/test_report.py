"""The page of a report: whole, harmless, and readable in a browser without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from uuid import uuid4

import orjson
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from playwright.sync_api import Browser
from typer.testing import CliRunner, Result

from infra.deck import command_line
from infra.history.history import History
from infra.stories.report.report_command import write
from infra.verify.which import Run
from schemas import MINUTE, Candle, Closed, Event, Fault, Opened, Refused
from schemas.tables import Record, block, table
from tests.infra.page.browser import Visit, chromium
from tests.infra.stories.played import REGRESSES, Played, play

ONE = Decimal(1)
HOSTILE = "sim:<script>alert(1)</script>/US\"D'"
_LOADS = {"src", "srcset", "poster", "data", "action", "formaction", "background", "manifest"}


@pytest.fixture(autouse=True)
def here(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPEDECK_HOME", str(history.settings.home))
    monkeypatch.delenv("CLICKHOUSE_URL", raising=False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def report(played: Played, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "told.html"
    with played.history.client("reader") as client:
        write(client, played.run, path)
    return path


class Page(HTMLParser):
    """What a page has: its tags, what they point to, its data, its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.pointers: list[tuple[str, str]] = []
        self.policy = ""
        self.tags: list[str] = []
        self._in: dict[str, str] | None = None
        self.data: dict[str, list[dict[str, object]]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.pointers += [(name, at) for name, at in given.items() if name in _LOADS]
        self.pointers += [(f"{tag} {name}", at) for name, at in given.items() if "href" in name]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        self._in = given if tag == "script" else None

    def handle_endtag(self, tag: str) -> None:
        self._in = None

    def handle_data(self, data: str) -> None:
        if self._in and self._in.get("id") == "data":
            self.data = orjson.loads(data)


def deck(*words: str) -> Result:
    return CliRunner().invoke(command_line(words[:1]), [*words])


def keep(writer: Client, run: str, events: list[Event]) -> Run:
    """Keep events as those of a run."""
    for seq, event in enumerate(events):
        rows = pa.Table.from_batches([block("made_up", run, type(event), [Record(seq, event)])])
        writer.insert_arrow(table(type(event)), rows)
    columns = ["run", "flow", "source", "mode", "settings", "version"]
    writer.insert("runs", [[run, "made_up", "<img src=x>", "replay", "{}", 1]], columns)
    return Run(run, "made_up", "replay", "<img src=x>", "0", 0)


def candle(market: str, at: int, close: float) -> Candle:
    start = at * MINUTE
    return Candle(
        market, start + MINUTE, "1m", start, start + MINUTE, 1.0, 2.0, 0.5, close, 1.0, 1.0, 3,
        1.0, 0.0, 3, 0, 1.0, "1", "3", start, start, True,
    )  # fmt: skip


def test_nothing_in_it_is_fetched_and_no_other_script_may_run(report: Path) -> None:
    page = Page(report.read_text("utf-8"))
    assert not [pointer for pointer in page.pointers if not pointer[1].startswith("#")]
    assert not {"link", "iframe", "object", "embed", "base", "form"} & {*page.tags}
    assert page.policy.startswith("default-src 'none'; ")
    scripts = page.policy.partition("script-src ")[2].partition(";")[0].split()
    assert scripts
    assert all(re.fullmatch(r"'sha256-[A-Za-z0-9+/=]{44}'", script) for script in scripts)
    assert "url(" not in report.read_text("utf-8").partition("</style>")[0]


def test_it_opens_without_a_word_of_complaint_and_without_a_request(
    report: Path, browser: Browser
) -> None:
    visit = Visit(browser)
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.page.goto(report.as_uri())
    visit.until("document.querySelectorAll('#candles canvas').length > 0")
    visit.until("document.querySelectorAll('#equity canvas').length > 0")
    assert visit.complaints == []
    assert asked == [report.as_uri()]
    visit.context.close()


def test_its_tables_are_sorted_by_a_click_and_a_position_is_shown_by_one(
    report: Path, browser: Browser, played: Played
) -> None:
    visit = Visit(browser, color_scheme="dark")
    visit.page.goto(report.as_uri())
    rows = "tr[data-market]"
    visit.page.click(f"table:has({rows}) th button:text-is('return')")
    keys = visit.run(
        "selector => [...document.querySelectorAll(selector)].map(row => Number(row.lastElementChild.dataset.key))",  # noqa: E501 - a script
        rows,
    )
    assert keys == sorted(keys, reverse=True)
    assert len(keys) == len({(e["market"], e["position"]) for e in played.of("Opened")})
    market = visit.run("() => document.getElementById('market').value")
    other = next(name for name in played.markets if name != market)
    visit.page.click(f"tr[data-market='{other}'] >> nth=0")
    visit.until("name => document.getElementById('market').value === name", other)
    visit.until("document.querySelectorAll('tr.chosen').length === 1")
    assert visit.complaints == []
    visit.context.close()


def test_a_hostile_name_stays_a_name(writer: Client, tmp_path: Path, browser: Browser) -> None:
    hostile, run = HOSTILE, uuid4().hex
    events: list[Event] = [candle(hostile, at, 1.5) for at in range(3)]
    events += [
        Opened(hostile, MINUTE, 1, "long", ONE, ONE, 0.9, 1.1, None, None),
        Closed(hostile, 2 * MINUTE, 1, "long", ONE, ONE, ONE, MINUTE, "</script><b>x", ONE,
               ONE, 0.1, 0.1),
        Refused(hostile, MINUTE, "long", "<img src=x onerror=alert()>"),
        Fault(hostile, MINUTE, "rule", "</td><script>alert(2)</script>", ""),
    ]  # fmt: skip
    path = tmp_path / "hostile.html"
    write(writer, keep(writer, run, events), path)
    text = path.read_text("utf-8")
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "<b>x" not in text
    page = Page(text)
    assert page.data["markets"][0]["market"] == hostile
    visit = Visit(browser)
    alarms: list[str] = []
    visit.page.on("dialog", lambda dialog: alarms.append(dialog.message))
    visit.page.goto(path.as_uri())
    visit.says("body", "<img src=x onerror=alert()>")
    visit.page.click("tr[data-market]")
    visit.until("name => document.getElementById('market').value === name", hostile)
    assert (visit.complaints, alarms) == ([], [])
    visit.context.close()


@pytest.mark.parametrize("wants", [True, False], ids=["regressor", "no trades"])
def test_it_is_written_with_a_regressor_and_without_trades(
    history: History, recording: Path, tmp_path: Path, reader: Client, wants: bool
) -> None:
    run = play(
        history, tmp_path, recording, model=REGRESSES, learns=wants, wants=wants,
        until="2024-01-01T01:30",
    )  # fmt: skip
    path = tmp_path / "report.html"
    write(reader, run.run, path)
    text = path.read_text("utf-8")
    page = Page(text)
    assert [one["market"] for one in page.data["markets"]] == sorted(run.markets)
    assert ("No position was closed" in text) == (not wants)
    assert ("Expected, and what came" in text) == wants


def test_it_is_written_of_a_run_that_has_nothing_at_all(writer: Client, tmp_path: Path) -> None:
    path = tmp_path / "empty.html"
    write(writer, keep(writer, uuid4().hex, []), path)
    assert "No candles." in path.read_text("utf-8")


def test_many_markets_are_thinned_and_it_is_told(
    writer: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.stories.report.charts._MARKETS", 3)
    monkeypatch.setattr("infra.stories.report.charts._FEWEST", 2)
    monkeypatch.setattr("infra.stories.report.charts._BARS", 6)
    events: list[Event] = [
        candle(f"sim:M{n}/USD", at, 1.5) for n in range(5) for at in range(10)
    ]  # fmt: skip
    path = tmp_path / "many.html"
    write(writer, keep(writer, uuid4().hex, events), path)
    text = path.read_text("utf-8")
    assert "Candles of 1m, up to 5 of them drawn as one, of the 3 markets with most" in text
    assert [len(one["time"]) for one in Page(text).data["markets"]] == [2, 2, 2]  # type: ignore[arg-type]


def test_the_command_says_where_it_is(played: Played, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "it.html"
    said = deck("report", played.run.run[:8], "--output", str(path))
    assert said.exit_code == 0, said.output
    assert said.stdout.replace("\n", "") == f"report: {path}"
    assert path.stat().st_size > 100_000
    lost = deck("report", "nowhere")
    assert lost.exit_code == 1
    assert "is no run, flow or deployment" in " ".join(lost.output.split())


def test_a_replay_writes_its_report(recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "replay.html"
    words = f"replay flows/sma_cross.py --until 2024-01-01T00:30 --data {recording}".split()
    said = deck(*words, "--report", str(path))
    assert said.exit_code == 0, said.output
    assert Page(path.read_text("utf-8")).data["markets"]
    refused = deck(*words, "--report", str(path), "--no-history")
    assert refused.exit_code == 1
    assert "made of what history keeps" in " ".join(refused.output.split())
