"""What the page asks history, against a plain loop over the events of the run that filled it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any

import pytest

from infra.page.asked import LATEST, Asked
from infra.page.candles import Page
from infra.page.house import House
from infra.page.keys import Keys
from infra.page.refusal import Refusal
from tests.infra.page.kept_run import MARKETS, PAYLOAD, TOKEN, Kept, Told

MILLI = 1_000_000
MARKET = MARKETS[0]


@pytest.fixture
def house(kept: Kept) -> Iterator[House]:
    house = House(kept.history.settings, Keys(TOKEN))
    yield house
    house.close()


def pages(house: House, run: str, limit: int, step: int | None = None) -> list[dict[str, Any]]:
    """Return all pages of candles, the last one first, as a browser scrolls back."""
    found = [house.candles.page(Page(run, MARKET, limit=limit, step=step))]
    while found[-1]["more"]:
        before = found[-1]["candles"]["seq"][0]
        found.append(house.candles.page(Page(run, MARKET, limit=limit, step=step, before=before)))
    return found


def joined(found: list[dict[str, Any]], part: str, name: str) -> list[Any]:
    return [value for page in reversed(found) for value in page[part].get(name, [])]


def plain_averages(kept: Kept, name: str) -> list[float | None]:
    """Return the average behind each candle, from the tape itself."""
    found: list[float | None] = []
    for event in kept.markets[MARKET]:
        if event["type"] == "Candle":
            found.append(None)
        elif event["type"] == "Averages":
            found[-1] = event["values"][name]
    return found


def test_scrolling_back_shows_each_candle_once_with_the_averages_behind_it(
    kept: Kept, house: House
) -> None:
    found = pages(house, kept.run, limit=37)
    candles = kept.of(MARKET, "Candle")
    assert len(found) == -(-len(candles) // 37)
    for name in ("seq", "open", "high", "low", "close", "volume", "count", "complete"):
        assert joined(found, "candles", name) == [candle[name] for candle in candles]
    assert joined(found, "candles", "time") == [candle["start"] // MILLI for candle in candles]
    assert joined(found, "candles", "end") == [candle["end"] // MILLI for candle in candles]
    assert joined(found, "averages", "sma3")[2:] == plain_averages(kept, "sma3")[2:]
    assert found[-1]["averages"]["sma3"][:2] == [None, None]


def test_candles_are_put_together_as_a_loop_puts_them(kept: Kept, house: House) -> None:
    found = pages(house, kept.run, limit=7, step=900)
    averages = iter(plain_averages(kept, "sma2"))
    with_average = [(candle, next(averages)) for candle in kept.of(MARKET, "Candle")]
    plain = []
    for start, rows in groupby(with_average, lambda row: row[0]["start"] // (900 * 10**9)):
        some = list(rows)
        cs: list[Told] = [candle for candle, _ in some]
        plain.append(
            (
                start * 900_000, cs[0]["seq"], cs[0]["open"], max(c["high"] for c in cs),
                min(c["low"] for c in cs), cs[-1]["close"], sum(c["count"] for c in cs),
                some[-1][1],
            )
        )  # fmt: skip
    names = ("time", "seq", "open", "high", "low", "close", "count")
    columns = [joined(found, "candles", name) for name in names]
    columns.append(joined(found, "averages", "sma2"))
    assert list(zip(*columns, strict=True)) == plain
    volumes = joined(found, "candles", "volume")
    assert sum(volumes) == pytest.approx(sum(c["volume"] for c in kept.of(MARKET, "Candle")))


@pytest.mark.parametrize("step", [None, 300])
def test_going_on_from_a_page_leads_back_to_where_one_came_from(
    kept: Kept, house: House, step: int | None
) -> None:
    [_, newer, older, *_] = pages(house, kept.run, limit=20, step=step)
    after = older["candles"]["seq"][-1]
    page = Page(kept.run, MARKET, limit=20, step=step, after=after, onward=True)
    assert house.candles.page(page)["candles"] == newer["candles"]


def test_a_jump_to_a_time_ends_with_the_candle_that_had_begun(kept: Kept, house: House) -> None:
    candle = kept.of(MARKET, "Candle")[100]
    until = candle["start"] // MILLI + 59_999
    found = house.candles.page(Page(kept.run, MARKET, limit=5, until=until))
    assert found["candles"]["seq"][-1] == candle["seq"]
    assert len(found["candles"]["seq"]) == 5


def test_positions_are_exact_and_the_open_one_comes_first(kept: Kept, house: House) -> None:
    found = house.sections.positions(kept.run, MARKET, limit=1_000)["positions"]
    closed = {event["position"]: event for event in kept.of(MARKET, "Closed")}
    opened = {event["position"]: event for event in kept.of(MARKET, "Opened")}
    assert sorted(found["position"]) == sorted(opened)
    assert [end is None for end in found["closed"]] == sorted(
        (end is None for end in found["closed"]), reverse=True
    )
    for place, position in enumerate(found["position"]):
        over = closed.get(position)
        assert found["closed"][place] == (over and over["ts"] // MILLI)
        assert (found["pnl"][place] and Decimal(found["pnl"][place])) == (
            over and Decimal(over["pnl"])
        )
        assert found["stop"][place] == opened[position]["stop"]
        assert found["id"][place] == f"{kept.run[:8]}:{MARKET}:{position}"


def test_positions_of_a_stretch_are_those_that_were_open_in_it(kept: Kept, house: House) -> None:
    middle = kept.of(MARKET, "Closed")[5]
    at = middle["ts"] // MILLI - 1
    found = house.sections.positions(kept.run, MARKET, since=at, until=at + 1)["positions"]
    assert middle["position"] in found["position"]
    for start, end in zip(found["opened"], found["closed"], strict=True):
        assert start <= at
        assert end is None or end >= at


def test_equity_ends_at_what_all_positions_made_however_few_points(
    kept: Kept, house: House
) -> None:
    closed = [event for market in MARKETS for event in kept.of(market, "Closed")]
    for points in (50, 5_000):
        line = house.sections.equity(kept.run, points)["currencies"]["USDT"]
        assert Decimal(line["pnl"]) == sum(Decimal(event["pnl"]) for event in closed)
        assert line["positions"] == len(closed)
        assert len(line["time"]) == min(points, len(closed)) or len(line["time"]) <= points
        assert line["time"] == sorted(line["time"])
        assert line["equity"][-1] == pytest.approx(float(line["pnl"]))


def test_calibration_and_metrics_count_each_outcome_once(kept: Kept, house: House) -> None:
    for market, markets in ((MARKET, [MARKET]), (None, [*MARKETS])):
        outcomes = [event for name in markets for event in kept.of(name, "Outcome")]
        known = [event for event in outcomes if event["odds"] is not None]
        found = house.sections.model(kept.run, market)
        assert sum(found["metrics"]["outcomes"]) == len(known)
        assert sum(found["calibration"]["outcomes"]) == len(known)
        won = sum(
            share * count
            for share, count in zip(
                found["calibration"]["won"], found["calibration"]["outcomes"], strict=True
            )
        )
        assert won == pytest.approx(sum(event["label"] for event in known))
        assert found["metrics"]["time"] == sorted(found["metrics"]["time"])


def test_signals_and_what_was_refused_come_newest_first(kept: Kept, house: House) -> None:
    found = house.sections.signals(kept.run, MARKET, limit=1_000)["signals"]
    plain = [
        (event["seq"], event["type"].lower())
        for event in reversed(kept.markets[MARKET])
        if event["type"] in ("Signal", "Refused")
    ]
    assert "refused" in dict.fromkeys(kind for _, kind in plain)
    assert list(zip(found["seq"], found["what"], strict=True)) == plain


def test_a_reject_of_the_feed_is_a_trouble_of_the_run_as_it_came(kept: Kept, house: House) -> None:
    found = house.sections.troubles(kept.run, None, kind="reject")["troubles"]
    assert found["detail"] == [PAYLOAD]
    assert found["what"] == ["no <b>JSON</b>"]
    feed = house.feed.of(kept.run)["feed"]
    assert feed["market"] == [*MARKETS]
    assert feed["rejects"] == [1, 0]
    last = kept.of(MARKETS[1], "Candle")[-1]
    assert (feed["price"][1], feed["last_event"][1]) == (last["close"], last["end"] // MILLI)


def test_a_run_names_its_markets_and_their_candles(kept: Kept, house: House) -> None:
    found = house.run(kept.run)
    candles = kept.of(MARKET, "Candle")
    assert [market["market"] for market in found["markets"]] == [*MARKETS]
    assert found["markets"][0]["kinds"] == [
        {
            "kind": "1m", "step": 60, "candles": len(candles),
            "first": candles[0]["start"] // MILLI, "last": candles[-1]["start"] // MILLI,
        }
    ]  # fmt: skip
    assert kept.run in [run["run"] for run in house.older(LATEST, 50)["runs"]]


def test_what_is_not_there_is_said_in_words(kept: Kept, house: House) -> None:
    with pytest.raises(Refusal, match="no candle of 'sim:NOT/HERE'"):
        house.candles.page(Page(kept.run, "sim:NOT/HERE"))
    with pytest.raises(Refusal, match="no run ffff"):
        house.run("f" * 32)
    with pytest.raises(Refusal, match="which market"):
        Page.of(kept.run, Asked({}))
