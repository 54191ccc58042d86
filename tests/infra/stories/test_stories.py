"""The story of a position against a plain search through the events of its run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from math import log
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner, Result

from infra.deck import command_line
from infra.history.history import History
from infra.stories.as_json import as_json
from infra.stories.books import book_of
from infra.stories.gather import of_position, of_signal
from infra.stories.names import Name, StoryError
from infra.stories.story import Story
from infra.stories.tape import Tape
from infra.stories.telling import heading, lines
from infra.stories.words import bps, money
from schemas import SECOND, Book, Order, Position
from schemas.tables import outside_block
from tests.infra.stories.played import CLASSIFIES, REGRESSES, Played, Told, play

_LATER = 10**18
_ENDED = {
    "stop": "its stop-loss was hit",
    "take": "its take-profit was hit",
    "exit": "left for 'exit'",
}
_MONEY = {"amount", "price", "fee", "entry", "exit", "fees", "pnl", "funding", "expected", "worst"}
_MONEY |= {"depth_left"}
"""Equal whatever zeros it was written with."""


@pytest.fixture(autouse=True)
def here(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPEDECK_HOME", str(history.settings.home))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("CLICKHOUSE_URL", raising=False)


def deck(*words: str) -> Result:
    return CliRunner().invoke(command_line(["explain"]), ["explain", *words])


def told(story: Story) -> dict[str, str]:
    """Return what is said, by what it is about; the first of each."""
    found: dict[str, str] = {}
    for line in lines(story):
        found.setdefault(line.what, line.says)
    return found


def last(tape: list[Told], kind: str, before: int) -> Told | None:
    found = [event for event in tape if event["type"] == kind and event["seq"] < before]
    return found[-1] if found else None


def same(said: Told | None, event: Told | None) -> bool:
    """Tell whether a story's event is one of the run's, which has its number besides."""
    if said is None or event is None:
        return said is event
    return all(
        Decimal(str(value)) == Decimal(str(event[name]))
        if name in _MONEY and value
        else value == event[name]
        for name, value in said.items()
    )


@pytest.fixture(scope="module")
def stories(played: Played) -> Iterator[list[tuple[Told, dict[str, Any]]]]:
    """Give every position's entry, and its story as JSON."""
    with played.history.client("reader") as client:
        entries = [order for order in played.of("Order") if order["action"] == "enter"]
        yield [
            (entry, json.loads(as_json(of_position(client, played.home, named(played, entry)))))
            for entry in entries
        ]


def named(played: Played, event: Told) -> Name:
    return Name(played.run.run, event["market"], event["position"])


def test_a_story_has_the_events_of_its_position_and_of_no_other(
    played: Played, stories: list[tuple[Told, dict[str, Any]]]
) -> None:
    assert len(stories) > 20
    for entry, story in stories:
        tape = [
            e for e in played.markets[entry["market"]] if e.get("position") == entry["position"]
        ]
        orders = [e for e in tape if e["type"] == "Order" and e["action"] in ("enter", "exit")]
        assert all(
            same(act["order"], order) for act, order in zip(story["acts"], orders, strict=True)
        )
        fills = [fill for act in story["acts"] for fill in act["fills"]]
        whole = [e for e in tape if e["type"] == "Fill"]
        assert all(same(fill, event) for fill, event in zip(fills, whole, strict=True))
        opened = [e for e in tape if e["type"] == "Opened"]
        assert all(same(one, event) for one, event in zip(story["opened"], opened, strict=True))
        over = [e for e in tape if e["type"] == "Closed"]
        assert same(story["closed"], over[0] if over else None)
        assert story["side"] == opened[0]["side"]


def test_a_story_begins_with_the_signal_and_what_the_rule_saw_then(
    played: Played, stories: list[tuple[Told, dict[str, Any]]]
) -> None:
    reversed_later = 0
    for entry, story in stories:
        tape = played.markets[entry["market"]]
        wishes = [
            e for e in tape
            if e["type"] == "Signal" and e["action"] != "exit" and e["reason"] == entry["why"]
        ]  # fmt: skip
        signal = last(wishes, "Signal", entry["seq"])
        assert signal
        decision = story["decision"]
        assert decision["signal"]["seq"] == signal["seq"]
        reversed_later += signal["ts"] < entry["ts"]
        for name, kind in (
            ("candle", "Candle"),
            ("averages", "Averages"),
            ("prediction", "Prediction"),
        ):
            assert same(decision[name], last(tape, kind, signal["seq"]))
    assert reversed_later  # the second half of a reverse


def test_a_story_ends_with_what_the_model_learned_from_its_decision(
    played: Played, stories: list[tuple[Told, dict[str, Any]]]
) -> None:
    learned = 0
    for entry, story in stories:
        tape = played.markets[entry["market"]]
        near = [e for e in tape if e["type"] == "Prediction" and e["ts"] == entry["ts"]]
        decision = min(near, key=lambda e: abs(e["seq"] - entry["seq"]), default={})
        ends = [
            e for e in tape if e["type"] == "Outcome" and e["decision"] == decision.get("decision")
        ]
        if not ends:
            assert story["lesson"] is None
            continue
        learned += 1
        assert same(story["lesson"]["outcome"], ends[0])
        assert same(story["lesson"]["before"], last(tape, "Outcome", ends[0]["seq"]))
    assert learned > 10


def test_how_far_a_position_went_is_told_by_the_candles_inside_it(
    played: Played, stories: list[tuple[Told, dict[str, Any]]]
) -> None:
    reached = 0
    for entry, story in stories:
        if not story["closed"]:
            continue
        since, until = story["opened"][0]["ts"], story["closed"]["ts"]
        inside = [
            c for c in played.of("Candle", entry["market"])
            if c["start"] >= since and c["end"] <= until and c["count"]
        ]  # fmt: skip
        if not inside:
            assert story["reach"] is None
            continue
        reached += 1
        price = float(story["closed"]["entry"])
        ways = [
            max(c["high"] for c in inside) / price - 1,
            min(c["low"] for c in inside) / price - 1,
        ]
        if story["side"] == "short":
            ways = [-ways[1], -ways[0]]
        assert [story["reach"]["best"], story["reach"]["worst"]] == ways
    assert reached > 10


def test_it_is_told_in_words_what_it_made_and_why_it_was_left(
    played: Played, reader: Client
) -> None:
    ups = {(e["market"], e["position"]) for e in played.of("Order") if e["why"] == "up"}
    over = next(
        e for e in played.of("Closed")
        if (e["market"], e["position"]) in ups and e["why"] in _ENDED
    )  # fmt: skip
    story = of_position(reader, played.home, named(played, over))
    said = told(story)
    made = f"{money(Decimal(over['pnl']), over['market'])}"
    ended = _ENDED[over["why"]]
    assert heading(story) == f"told, replay: long, {ended}, {made} ({bps(over['net_return'])})"
    assert said["left"].startswith(f"{ended}, after ")
    assert said["made"].startswith(made)
    assert "(−20.0 bps)" in said["opened"]
    assert "trailing 40.0 bps behind" in said["opened"]
    outcome = story.lesson and story.lesson.outcome
    assert outcome
    assert outcome.odds is not None
    loss = -log(outcome.odds if outcome.label else 1 - outcome.odds)
    assert f"loss {loss:.3f}" in said["learned"]
    gap = over["net_return"] - outcome.net_return
    than = f"{abs(gap) * 1e4:,.1f} bps {'more' if gap > 0 else 'less'} than"
    assert said["gap"] == f"the position made {than} its shadow"


def test_a_signal_that_was_refused_has_a_story_too(played: Played, reader: Client) -> None:
    refused = next(e for e in played.of("Refused") if "already" in e["why"])
    signal = last(played.markets[refused["market"]], "Signal", refused["seq"])
    assert signal
    name = Name(played.run.run, refused["market"], signal["seq"])
    story = of_signal(reader, played.home, name)
    assert told(story)["refused"] == refused["why"]
    assert "a signal that became no position" in heading(story)
    printed = deck("--signal", str(name))
    assert printed.exit_code == 0, printed.output
    assert Path(printed.stdout.rsplit("picture: ", 1)[1].strip()).is_file()


def test_a_signal_that_became_a_position_tells_its_story(played: Played, reader: Client) -> None:
    entry = next(e for e in played.of("Order") if e["why"] == "up")
    signal = last(played.markets[entry["market"]], "Signal", entry["seq"])
    assert signal
    story = of_signal(reader, played.home, Name(played.run.run, entry["market"], signal["seq"]))
    assert story.name.number == entry["position"]


def test_a_position_that_is_open_says_where_it_stands(
    history: History, recording: Path, tmp_path: Path, reader: Client
) -> None:
    cut = play(history, tmp_path, recording, until="2024-01-01T04:13")
    over = {(e["market"], e["position"]) for e in cut.of("Closed")}
    opened = next(e for e in cut.of("Opened") if (e["market"], e["position"]) not in over)
    story = of_position(reader, cut.home, named(cut, opened))
    close = cut.of("Candle", opened["market"])[-1]["close"]
    assert heading(story).endswith(f": {opened['side']}, open")
    sign = 1 if opened["side"] == "long" else -1
    made = sign * (close - float(opened["entry"])) * float(opened["amount"])
    assert told(story)["stands"].startswith(f"at {close:,.8g}, the last close: ")
    assert money(made, opened["market"]) in told(story)["stands"]
    assert "made" not in told(story)
    printed = deck(str(named(cut, opened)), "--picture", str(tmp_path / "open.svg"))
    assert printed.exit_code == 0, printed.output
    assert (tmp_path / "open.svg").read_text("utf-8").startswith("<?xml")


@pytest.mark.parametrize(("model", "learns"), [(REGRESSES, True), (CLASSIFIES, False)])
def test_it_is_told_with_a_regressor_and_without_a_model(
    history: History, recording: Path, tmp_path: Path, reader: Client, model: str, learns: bool
) -> None:
    run = play(history, tmp_path, recording, model=model, learns=learns, until="2024-01-01T01:30")
    entry = next(e for e in run.of("Order") if e["action"] == "enter" and e["why"] == "up")
    said = told(of_position(reader, run.home, named(run, entry)))
    if learns:
        assert said["model"].startswith("expects ")
        assert "mae " in said["model then"]
    else:
        assert not {"model", "learned", "gap"} & said.keys()
    printed = deck(str(named(run, entry)), "--picture", str(tmp_path / "told.png"))
    assert printed.exit_code == 0, printed.output


def test_the_book_is_the_last_one_with_the_mid_price_of_the_expectation(
    played: Played, reader: Client, writer: Client
) -> None:
    market, ts = "sim:BOOK/USDT", 1_700_000_000 * SECOND
    books = [
        Book(market, ts + shift, [(mid - 1, 2.0)], [(mid + 1, 2.0)], n, ts, None, Position("p", n))
        for n, (shift, mid) in enumerate([(0, 100.0), (1, 101.0), (1, 100.0), (2, 102.0)])
    ]
    rows = pa.Table.from_batches([outside_block(Book, books)])
    writer.insert_arrow("books", rows)
    order = Order(market, ts + 5, 1, 1, "enter", "buy", Decimal(1), "up", expected=Decimal(101))
    tape = Tape(reader, "told", played.run.run, market)
    assert book_of(tape, order) is None  # nothing tells its mid
    order.slippage_bps = 100.0
    found = book_of(tape, order)
    assert found
    assert found.sequence == 2
    order.ts += _LATER
    assert book_of(tape, order) is None


def test_the_command_lists_what_can_be_told_and_names_it(played: Played) -> None:
    listed = deck(played.run.run[:8])
    assert listed.exit_code == 0, listed.output
    name = listed.stdout.rstrip().rpartition("deck explain ")[2]
    printed = deck(name)
    assert printed.exit_code == 0, printed.output
    assert printed.stdout.startswith(name)
    assert max(map(len, printed.stdout.splitlines()[:-1])) <= 100
    refused = deck(played.run.run, "--signal")
    assert "already" in refused.stdout
    told_json = deck(name, "--json")
    assert json.loads(told_json.stdout)["name"] == name


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nothing:sim:BTC/USDT:1", "is no run, flow or deployment"),
        ("told:sim:BTC/USDT:99999", "history keeps no such order of the run"),
        ("told:sim:NOPE/USDT:1", "its markets are such as"),
        ("told:sim", "a position is named RUN:MARKET:N"),
        ("told:' OR 1 --:1", "history keeps no such order"),
    ],
)
def test_what_cannot_be_told_says_what_can(
    played: Played, name: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert played.run.flow == "told"
    printed = deck(name)
    assert printed.exit_code == 1
    assert says in " ".join(printed.output.split())


def test_a_picture_by_another_name_is_refused_before_it_is_drawn(played: Played) -> None:
    name = named(played, played.of("Opened")[0])
    printed = deck(str(name), "--picture", "story.jpg")
    assert printed.exit_code == 1
    assert "name it .png or .svg" in printed.output
    with closing(played.history.client("reader")) as client, pytest.raises(StoryError):
        of_position(client, played.home, name._replace(number=10**17))
