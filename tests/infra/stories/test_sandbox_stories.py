"""Positions of an account that ended by the stop which rests at the exchange."""

from __future__ import annotations

import uuid
from collections import defaultdict
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from infra.history.history import History
from infra.pictures.bars import Bars
from infra.pictures.candles import Level
from infra.stories.gather import of_position
from infra.stories.names import Name
from infra.stories.picture import trail
from infra.stories.story import Story
from infra.stories.telling import lines
from schemas import SECOND, Closed, Event, Fill, Opened, Order
from schemas.tables import Record, block, table
from tests.infra.verify.test_which import noted

MARKET, D = "binance:BTC/USDT:USDT", Decimal


def order(at: int, number: int, action: str, side: str, why: str, price: str = "") -> Order:
    asked = {"price": D(price)} if price else {}
    return Order(MARKET, at * SECOND, number, 1, action, side, D(2), why, **asked)  # type: ignore[arg-type]


def sold(at: int, amount: int, number: int = 0) -> Fill:
    return Fill(MARKET, at * SECOND, number, 1, "sell", D(101), D(amount), D(0))


BEGUN = [
    order(1, 1, "enter", "buy", "up"),
    Fill(MARKET, SECOND, 1, 1, "buy", D(100), D(2), D(0)),
    Opened(MARKET, SECOND, 1, "long", D(2), D(100), 90.0, 110.0, 0.1, 99 * SECOND),
]


@pytest.fixture
def story(
    writer: Client, reader: Client, history: History, request: pytest.FixtureRequest
) -> Story:
    """Return the story of the events that are given."""
    flow, events = f"sandbox_{uuid.uuid4().hex}", [*BEGUN, *request.param]
    run, rows = noted(writer, flow, 1), defaultdict(list)
    for seq, event in enumerate(events):
        rows[type(event)].append(Record(seq, event))
    kinds: dict[type[Event], list[Record]] = dict(rows)
    for kind, records in kinds.items():
        writer.insert_arrow(table(kind), pa.Table.from_batches([block(flow, run, kind, records)]))
    return of_position(reader, history.settings.home, Name(run, MARKET, 1))


def told(story: Story) -> list[tuple[str, str]]:
    return [(line.what, line.says) for line in lines(story)][4:]


MOVED = [order(n, n, "protect", "sell", "trailing", str(90 + n)) for n in (2, 3)]
OVER = Closed(MARKET, 5 * SECOND, 1, "long", D(2), D(100), D(101), SECOND, "trailing",
              D(0), D(2), 0.01, 0.01)  # fmt: skip
BESIDES = "; by no order of the flow: by the resting stop, or the executor"


@pytest.mark.parametrize(
    "story", [[*MOVED, order(4, 4, "exit", "sell", "trailing"), sold(5, 2), OVER]], indirect=True
)
def test_what_the_resting_stop_sold_is_told_behind_the_order_that_came_too_late(
    story: Story,
) -> None:
    assert story.besides == []
    assert told(story) == [
        ("trailed", "the resting stop moved 2 times, last to 93"),
        ("left", "its trailing stop was hit, after 3 s"),
        ("order 4", "sell 2 BTC, market"),
        ("expected", "no price: no fresh book stood on the tape"),
        ("filled", f"2 at 101, fee 0.00 USDT, 1 s later{BESIDES}"),
        ("made", "+2.00 USDT after fees of 0.00 USDT: +100.0 bps before, +100.0 bps after"),
    ]


@pytest.mark.parametrize("story", [[*MOVED[:1], sold(4, 1), sold(5, 1), OVER]], indirect=True)
def test_an_end_that_no_order_of_the_flow_brought_is_told_all_the_same(story: Story) -> None:
    assert told(story)[:-1] == [
        ("trailed", "the resting stop moved once, to 92"),
        ("left", "its trailing stop was hit, after 3 s"),
        ("filled", f"1 at 101, fee 0.00 USDT{BESIDES}"),
        ("filled", f"1 at 101, fee 0.00 USDT{BESIDES}"),
    ]


@pytest.mark.parametrize("story", [[sold(7, 2, 4), OVER]], indirect=True)
def test_a_trailing_stop_is_drawn_where_the_bars_in_the_position_put_it(story: Story) -> None:
    times = np.array([0, 1, 2, 3, 4]) * SECOND
    flat, high = np.full(5, 95.0), np.array([200.0, 105.0, 104.0, 110.0, 300.0])
    ends = np.array([1, 2, 3, 4, 6]) * SECOND
    shown = Bars("1s", 1, times, ends, flat, high, flat, flat, flat, {})
    [one, *more, last] = trail(story, shown)
    assert one == Level("trailing", 90.0, SECOND, 2 * SECOND)
    assert more == [Level("", 105.0 * 0.9, 2 * SECOND, 4 * SECOND)]
    assert last == Level("", 110.0 * 0.9, 4 * SECOND, OVER.ts)
