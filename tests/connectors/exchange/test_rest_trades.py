"""Trades by REST: nothing is said to be whole that is not."""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.exchange import rest_trades
from connectors.exchange.rest_trades import (
    First,
    HoleError,
    NotYetError,
    RestTrades,
    Traded,
    traded,
)
from connectors.venue.venue import Json, Venue
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import Capture
from tests.standin.client import until as seen
from tests.standin.client import watching
from tests.standin.exchange import StandIn
from tests.standin.market import Market
from tests.standin.okx import OkxStandIn

MS = 1_000_000


def told(number: int, ms: int = 0, **other: object) -> Json:
    return {"id": str(number), "timestamp": ms or 1000 + number, "price": 1.0, "amount": 2.0} | {
        "side": "buy",
        "info": {},
        **other,
    }


def of(number: int, parts: int = 1) -> Traded:
    return traded(told(number))._replace(parts=parts)


class Asked:
    """Pages of an exchange that has some of the trades."""

    def __init__(self, trades: list[Json], size: int, numbered: bool, newest: bool) -> None:
        self.sums = False
        self.trades, self.size, self.numbered, self.newest = trades, size, numbered, newest

    async def behind(self, last: str, ms: int) -> list[Json]:
        if self.newest:
            return self.trades[-self.size :]
        return [trade for trade in self.trades if trade["timestamp"] >= ms][: self.size]

    async def first(self, ms: int) -> tuple[list[Json], bool]:
        return await self.behind("", ms), not self.newest


class _Nothing:
    id = "some"
    has: Mapping[str, object] = {}

    def market(self, symbol: str) -> Json:
        return {"id": symbol}


@pytest.fixture
def rest(monkeypatch: pytest.MonkeyPatch) -> Callable[[Asked | None], RestTrades]:
    def make(asked: Asked | None) -> RestTrades:
        monkeypatch.setattr(rest_trades, "pages", lambda venue, symbol: asked)
        return RestTrades(_venue(), "A/B")

    return make


def _venue() -> Venue:
    return _Nothing()  # type: ignore[return-value]


def behind(rest: RestTrades, last: Traded, until: Traded | None) -> list[Traded]:
    async def all_of() -> list[Traded]:
        return [trade async for page in rest.behind(last, until) for trade in page]

    return asyncio.run(all_of())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", None),
        ("price", 0.0),
        ("price", float("nan")),
        ("amount", -1.0),
        ("amount", "1"),
        ("timestamp", None),
        ("timestamp", 0),
        ("side", "both"),
    ],
)
def test_what_is_wrong_with_a_trade_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{field} {value!r}")):
        traded({**told(1), field: value})


def test_a_trade_without_an_id_or_a_side_is_one() -> None:
    assert traded({**told(1), "id": None, "side": None}) == Traded("", 1001 * MS, 1.0, 2.0, 0)


def test_a_trade_says_of_how_many_it_is_the_sum() -> None:
    info = {"instId": "BTC-USDT", "count": "3"}
    assert traded({**told(1), "info": info}).parts == 3
    assert traded({**told(1), "info": {"count": "3"}}).parts == 1


@given(
    ids=st.lists(st.integers(1, 300), unique=True, min_size=2).map(sorted),
    lost=st.integers(0, 20),
    lag=st.integers(0, 3),
    size=st.integers(2, 30),
    numbered=st.booleans(),
    newest=st.booleans(),
    whose=st.data(),
)
def test_a_hole_is_either_filled_whole_or_said_to_be_open(
    ids: list[int],
    lost: int,
    lag: int,
    size: int,
    numbered: bool,
    newest: bool,
    whose: st.DataObject,
) -> None:
    """The exchange has forgotten the oldest trades, and does not know the newest yet."""
    kept = [told(i) for i in ids[lost : len(ids) - lag]]
    with pytest.MonkeyPatch.context() as patch:
        asked = Asked(kept, size, numbered, newest)
        patch.setattr(rest_trades, "pages", lambda venue, symbol: asked)
        made = RestTrades(_venue(), "A/B")
    a = whose.draw(st.integers(0, len(ids) - 2))
    b = whose.draw(st.one_of(st.none(), st.integers(a + 1, len(ids) - 1)))
    try:
        found = behind(made, of(ids[a]), None if b is None else of(ids[b]))
    except HoleError:
        known = not newest and a >= lost and (b or a) < len(ids) - lag
        assert not known
    else:
        end = len(ids) - lag if b is None else b
        assert [int(trade.id) for trade in found] == ids[a + 1 : end]


def test_ids_are_sorted_as_numbers(rest: Callable[[Asked | None], RestTrades]) -> None:
    page = [told(11, 1000), told(13, 1000), told(7, 1000), told(9, 1000)]
    for numbered in (True, False):
        found = behind(rest(Asked(page, 100, numbered, newest=True)), of(7), of(13))
        assert [trade.id for trade in found] == ["9", "11"]


def test_what_the_next_trade_is_the_sum_of_is_not_in_the_hole(
    rest: Callable[[Asked | None], RestTrades],
) -> None:
    page = [told(i) for i in range(1, 10)]
    made = rest(Asked(page, 100, numbered=True, newest=True))
    assert [trade.id for trade in behind(made, of(2), of(8, parts=4))] == ["3", "4"]
    assert behind(made, of(4), of(8, parts=4)) == []


def test_a_hole_is_whole_before_rest_knows_what_stands_behind_it(
    rest: Callable[[Asked | None], RestTrades],
) -> None:
    made = rest(Asked([told(i) for i in (1, 2, 3, 4)], 100, numbered=False, newest=True))
    assert [trade.id for trade in behind(made, of(2), of(5))] == ["3", "4"]


def test_a_trade_that_only_the_stream_told_bounds_a_hole(
    rest: Callable[[Asked | None], RestTrades],
) -> None:
    made = rest(Asked([told(i) for i in (1, 2, 3, 5, 7)], 100, numbered=True, newest=True))
    assert [trade.id for trade in behind(made, of(2), of(6))] == ["3", "5"]


def test_rest_that_lags_is_told_from_rest_that_forgets(
    rest: Callable[[Asked | None], RestTrades],
) -> None:
    made = rest(Asked([told(i) for i in (4, 5, 6)], 100, numbered=True, newest=True))
    with pytest.raises(NotYetError, match="REST ends at trade 6"):
        behind(made, of(4), of(9))
    with pytest.raises(NotYetError, match="does not know trade 8 yet"):
        behind(made, of(8), of(12))
    with pytest.raises(HoleError, match="back to trade 4 at 1970-01-01 00:00:01, not to 2"):
        behind(made, of(2), of(5))


def test_of_one_moment_all_are_told_if_their_ids_do_not_say_which_came_first(
    rest: Callable[[Asked | None], RestTrades],
) -> None:
    page = [told(0, ms, id=id_) for ms, ids in ((7, "abc"), (8, "def")) for id_ in ids]
    made = rest(Asked(page, 100, numbered=False, newest=True))
    b, e = (traded(page[row]) for row in (1, 4))
    assert [trade.id for trade in behind(made, b, e)] == ["a", "c", "d", "f"]
    assert [trade.id for trade in behind(made, b, None)] == ["a", "c", "d", "e", "f"]


@pytest.mark.parametrize(("last", "until"), [("", "2"), ("1", ""), ("a", "2")])
def test_without_ids_no_hole_is_filled(
    last: str, until: str, rest: Callable[[Asked | None], RestTrades]
) -> None:
    made = rest(Asked([told(1), told(2)], 100, numbered=True, newest=True))
    with pytest.raises(HoleError, match="same trade ids"):
        behind(made, of(1)._replace(id=last), of(2)._replace(id=until))


def test_an_exchange_whose_ids_differ_says_so(
    rest: Callable[[Asked | None], RestTrades],
) -> None:
    made = rest(None)
    assert not made.fills
    with pytest.raises(HoleError, match="same trade ids"):
        behind(made, of(1), of(2))
    with pytest.raises(HoleError, match="gives no trades"):
        asyncio.run(made.first(0))


def test_what_cannot_be_read_is_kept_whole_and_the_others_are_given(
    rest: Callable[[Asked | None], RestTrades],
) -> None:
    bad = told(2, price=None, info={"p": "x"})
    made = rest(Asked([told(1), bad, told(3), told(4)], 100, numbered=True, newest=True))
    assert [trade.id for trade in behind(made, of(1), of(4))] == ["3"]
    (reject,) = made.rejects
    assert (reject.payload, reject.ts) == ('{"p":"x"}', 1002 * MS)
    assert "price None" in reject.why


@pytest.mark.parametrize(
    ("newest", "start", "first"),
    [
        (False, 1002 * MS, First(of(2), whole=True)),
        (False, 1001 * MS + 1, First(of(2), whole=True)),
        (False, 2000 * MS, First(None, whole=True)),
        (True, 1002 * MS, First(of(2), whole=True)),
        (True, 1001 * MS, First(of(1), whole=False)),
    ],
)
def test_the_first_trade_of_a_span_is_found_or_what_is_missing_is_said(
    newest: bool, start: int, first: First, rest: Callable[[Asked | None], RestTrades]
) -> None:
    made = rest(Asked([told(i) for i in (1, 2, 3)], 100, numbered=True, newest=newest))
    assert asyncio.run(made.first(start)) == first


class _Counted(OkxStandIn):
    """OKX as it is: a trade on the stream says of how many it is the sum."""

    def messages(self, market: Market, stream: str, raw: bytes) -> Iterator[bytes]:
        for message in super().messages(market, stream, raw):
            told = orjson.loads(message)
            if stream == "trade":
                last = len(market.trades) - 1
                first = next(a.first for a in market.aggregates if a.last == last)
                told["data"][0]["count"] = str(last - first + 1)
            yield orjson.dumps(told)


async def _both(
    exchange: StandIn, market: str, name: str
) -> tuple[list[Traded], list[Traded], list[Traded]]:
    """Return what the stream told, what REST tells behind its first, and in front of its last."""
    async with watching(exchange, market, name) as watcher:
        exchange.play()
        await seen(lambda: exchange.player.settled)
        last = exchange.market(market).trades[-1].id
        await seen(lambda: watcher.ids and watcher.ids[-1] == last)
        streamed = [traded(trade) for trade in watcher.trades]
        rest = RestTrades(watcher._venue, exchange.market(market).capture.unified)
        found = [t async for page in rest.behind(streamed[0], None) for t in page]
        between = [t async for page in rest.behind(streamed[0], streamed[-1]) for t in page]
    assert not rest.rejects
    return streamed, found, between


@pytest.mark.parametrize(
    ("file", "lines"),
    [("binance_spot_btcusdt_20240808", 6_000), ("binance_usdm_btcusdt_20240808", 2_500)],
)
def test_rest_tells_bit_for_bit_what_the_stream_told(wire: Path, file: str, lines: int) -> None:
    capture = Capture.read(wire / f"{file}.gz").until(lines)
    with BinanceStandIn([capture]) as exchange:
        streamed, found, between = asyncio.run(_both(exchange, capture.name, "binance"))
    assert [streamed[0], *found] == streamed
    assert found[:-1] == between
    assert len(found) > 300
    for trade, raw in zip(streamed, capture.trades, strict=True):
        assert (trade.price, trade.size) == (float(raw.price), float(raw.size))


def test_rest_tells_apart_what_okx_streamed_as_one(wire: Path) -> None:
    capture = Capture.read(wire / "binance_spot_btcusdt_20240808.gz").until(3_000)
    with _Counted([capture]) as exchange:
        streamed, found, between = asyncio.run(_both(exchange, capture.name, "okx"))
    ids = [int(trade.id) for trade in found]
    assert ids == [*range(int(streamed[0].id) + 1, int(streamed[-1].id) + 1)]
    assert sum(trade.parts for trade in streamed[1:]) == len(found) > len(streamed)
    assert int(between[-1].id) == int(streamed[-1].id) - streamed[-1].parts
