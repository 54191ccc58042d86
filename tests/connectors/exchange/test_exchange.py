"""Markets of stand-in exchanges, through ccxt's real client: whatever they do, nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.exchange import market as exchange_market
from connectors.exchange import wire as exchange_wire
from connectors.exchange.exchange import Exchange
from connectors.exchange.rest_trades import Traded
from connectors.exchange.venue import Asks
from connectors.feed import feed
from connectors.feed import tape as feed_tape
from connectors.feed.tape import Written
from connectors.venue.venue import VenueError
from schemas import SECOND, Book, Gap, Heartbeat, Instrument, Reject, Time, Trades, Value
from tests.connectors.taking import Taking, taking
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import Capture, RawTrade, made
from tests.standin.okx import OkxStandIn
from tests.standin.rebuild import books_at

ALL = 600
PACE = 0.02
"""Seconds from a trade to the next where it takes time to notice something."""
DISTURBED = 200


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find what is silent sooner, and be in no hurry else.

    Here an exchange's minute passes in a moment, in which one stream easily overtakes another, and
    the machine may be busy.
    """
    monkeypatch.setattr(exchange_wire, "DEAD", 1.2 * SECOND)
    monkeypatch.setattr(exchange_market, "QUIET", SECOND)
    monkeypatch.setattr(exchange_market, "SOON", SECOND)
    monkeypatch.setattr(exchange_market, "_AGAIN", 0.2)
    monkeypatch.setattr(feed, "PATIENCE", 30 * SECOND)
    tolerate(monkeypatch, 60 * SECOND)


def tolerate(monkeypatch: pytest.MonkeyPatch, tolerance: Time) -> None:
    """Let books run so far ahead of trades."""
    monkeypatch.setattr(feed, "TOLERANCE", tolerance)
    monkeypatch.setattr(feed_tape, "TOLERANCE", tolerance)


@pytest.fixture(params=["spot", "usdm"])
def taken(request: pytest.FixtureRequest) -> Iterator[Taking]:
    with taking(BinanceStandIn([made(ALL, request.param)])) as found:
        found.play(DISTURBED)
        yield found


def whole(taken: Taking, market: str | None = None) -> bool:
    """Tell whether all trades are on the tape, once, in order, with no hole and what they were."""
    capture = taken.standin.market(market).capture
    got = [
        (int(i), ts, price, size, side)
        for t in taken.events(Trades, market)
        for i, ts, price, size, side in zip(
            (t.id if t.id is not None else t.ts).tolist(),
            *(column.tolist() for column in (t.ts, t.price, t.size, t.side)),
            strict=True,
        )
    ]
    told = [
        (t.id, t.time * 1_000_000, float(t.price), float(t.size), -1 if t.maker else 1)
        for t in capture.trades[: len(got)]
    ]
    return got == told and not taken.events(Gap, market)


def right(taken: Taking, market: str | None = None) -> int:
    """Return how many books came, having seen that each is what an independent rebuild says."""
    books = {book.sequence: book for book in taken.events(Book, market)}
    rebuilt = books_at(taken.standin.market(market).capture, books)
    for sequence, (bids, asks) in rebuilt.items():
        assert (books[sequence].bids, books[sequence].asks) == (bids[:10], asks[:10])
    return len(books)


def test_a_market_comes_with_its_instrument_trades_and_books(wire: Path) -> None:
    capture = Capture.read(wire / "binance_usdm_btcusdt_20240808.gz").until(3_000)
    with taking(BinanceStandIn([capture])) as taken:
        for line in range(250, 3_001, 250):
            count = len(taken.events(Book))
            taken.standin.play_until(line=line)
            taken.until(lambda count=count: len(taken.events(Book)) > count)  # type: ignore[misc]
        taken.until(lambda: capture.trades[-1].id in taken.ids()[-500:])
        assert isinstance(taken.tape()[0], Instrument)
        assert whole(taken)
        assert right(taken) > 9
        assert taken.counts().trades == len(capture.trades)
        assert not taken.events(Reject)


TROUBLES: dict[str, Callable[[BinanceStandIn], object]] = {
    "close": lambda standin: standin.trouble.drop(),
    "cut": lambda standin: standin.trouble.abort(),
    "cut in a frame": lambda standin: standin.trouble.half_a_frame(),
    "fall silent": lambda standin: standin.trouble.stall(),
    "skip trades": lambda standin: standin.trouble.skip(7),
    "skip books": lambda standin: standin.trouble.skip(3, "depth"),
    "repeat trades": lambda standin: standin.trouble.repeat(7),
    "repeat books": lambda standin: standin.trouble.repeat(3, "depth"),
    "change the order": lambda standin: standin.trouble.reorder(5),
    "send what is no JSON": lambda standin: standin.trouble.malform(),
    "send a book that is no JSON": lambda standin: standin.trouble.malform(1, "depth"),
    "send a wrong sequence": lambda standin: standin.trouble.wrong_sequence(),
    "cross the book": lambda standin: standin.trouble.cross(),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_exchange_may_do_what_it_likes(taken: Taking, trouble: str) -> None:
    standin = taken.standin
    assert isinstance(standin, BinanceStandIn)
    TROUBLES[trouble](standin)
    standin.play_until(trade=2 * DISTURBED)
    taken.until(taken.listening)
    taken.play(ALL)
    assert standin.trouble.counts.keys() - {"requests"}, "it did"
    assert whole(taken)
    assert right(taken)


def test_a_subscription_that_the_exchange_forgot_is_found_out_and_the_hole_marked(
    taken: Taking, monkeypatch: pytest.MonkeyPatch
) -> None:
    tolerate(monkeypatch, SECOND)
    standin = taken.standin
    standin.trouble.half_stall("trade")
    standin.play_until(trade=2 * DISTURBED)
    taken.until(taken.listening)
    taken.play(ALL)
    [gap] = taken.events(Gap)
    assert gap.why == "stall"
    assert taken.counts().stalls == 1
    taken.until(lambda: taken.counts().late)
    [(_, late)] = taken.source.late()
    assert sorted([*taken.ids(), *(int(trade.id) for trade in late)]) == [*range(1, ALL + 1)]
    assert (gap.first_id, gap.last_id) == (late[0].id, late[-1].id)


def soon(condition: Callable[[], object]) -> Callable[[], bool]:
    """Tell whether a condition holds, or the time of a trade is over."""
    end = time.monotonic() + PACE
    return lambda: bool(condition()) or time.monotonic() > end


def test_books_that_the_exchange_forgot_are_asked_for_again(taken: Taking) -> None:
    standin = taken.standin
    standin.trouble.half_stall("depth")
    trade = DISTURBED
    while not taken.listening():
        trade += 1
        taken.play(trade)
        taken.until(soon(taken.listening))
    count = len(taken.events(Book))
    taken.play(trade + 5)
    taken.until(lambda: len(taken.events(Book)) > count)
    assert right(taken)
    assert whole(taken)


def hole(taken: Taking, size: int = 5) -> None:
    """Let the stream skip some trades, and go on."""
    taken.standin.trouble.skip(size)
    taken.standin.play_until(trade=DISTURBED + size + 20)


@pytest.mark.parametrize("status", [429, 418, 500, 503])
def test_rest_may_fail_once_and_the_hole_is_filled(taken: Taking, status: int) -> None:
    taken.standin.trouble.fail(status, retry_after=1.0)
    hole(taken)
    taken.play(ALL)
    assert whole(taken)
    assert taken.counts().filled == 5
    assert taken.standin.trouble.counts[f"status {status}"] == 1


def test_rest_may_know_the_newest_trades_a_little_later(taken: Taking) -> None:
    trouble = taken.standin.trouble
    trouble.lag(100)
    requests = trouble.counts["requests"]
    hole(taken)
    taken.until(lambda: trouble.counts["requests"] > requests + 1)
    trouble.lag(0)
    taken.play(ALL)
    assert whole(taken)


def test_what_rest_tells_too_late_is_marked_and_put_aside(
    taken: Taking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PATIENCE", SECOND)
    trouble = taken.standin.trouble
    trouble.slow(2.0)
    hole(taken)
    taken.play(ALL)
    [gap] = taken.events(Gap)
    assert (gap.why, gap.first_id, gap.last_id) == ("ids", "201", "205")
    assert taken.ids() == [*range(1, 201), *range(206, ALL + 1)]
    trouble.slow(0.0)
    taken.until(lambda: taken.counts().late)
    [(market, late)] = taken.source.late()
    assert market == taken.name()
    assert [trade.id for trade in late] == ["201", "202", "203", "204", "205"]


def test_a_slow_consumer_has_holes_that_are_filled_or_marked() -> None:
    with taking(BinanceStandIn([made(ALL)]), room=50) as taken:
        for trade in range(20, ALL, 20):
            taken.standin.play_until(trade=trade)
        taken.play(ALL)
        assert taken.counts().holes
        assert taken.ids() == sorted({*taken.ids()})
        marked = {
            missing
            for gap in taken.events(Gap)
            for missing in range(int(gap.first_id), int(gap.last_id) + 1)
        }
        assert {*range(1, ALL + 1)} - {*taken.ids()} <= marked


def test_a_restart_goes_on_behind_the_last_trade_of_the_log() -> None:
    capture = made(ALL)
    trade = capture.trades[149]
    last = Traded("150", trade.time * 1_000_000, float(trade.price), float(trade.size), 1)
    name = f"binance:{capture.unified}"
    with taking(BinanceStandIn([capture]), {name: Written(last)}, played=180) as taken:
        taken.play(DISTURBED)
        assert taken.ids() == [*range(151, DISTURBED + 1)]
        assert not taken.events(Gap)


@pytest.mark.parametrize("shift", [-3_600_000, 90_000])
def test_the_clock_of_an_exchange_may_step_and_heartbeats_never_fall(
    taken: Taking, shift: int
) -> None:
    taken.standin.trouble.clock(shift)
    taken.play(2 * DISTURBED)
    beats = len(taken.events(Heartbeat))
    taken.play(ALL)
    taken.until(lambda: shift < 0 or len(taken.events(Heartbeat)) > beats)
    assert taken.ids() == [*range(1, ALL + 1)]
    times = [beat.ts for beat in taken.events(Heartbeat)]
    assert times == sorted(times)


def test_a_quiet_market_has_a_heartbeat_each_second_that_does_not_run_ahead(taken: Taking) -> None:
    newest = taken.standin.market().trades[-1].time * 1_000_000
    taken.until(lambda: len(taken.events(Heartbeat)) > 2)
    last, before = taken.events(Heartbeat)[-1:-3:-1]
    assert last.received is not None
    assert before.received is not None
    assert last.received - before.received >= SECOND
    trade = taken.events(Trades)[-1]
    assert trade.received is not None
    passed = last.received - trade.received.item(-1)
    assert last.ts <= newest + passed


def test_a_silent_connection_has_no_heartbeats(taken: Taking) -> None:
    taken.standin.trouble.stall()
    stalled = time.time_ns()
    taken.until(lambda: taken.counts().stalls)
    reconnected = time.time_ns()
    taken.until(lambda: [b for b in taken.events(Heartbeat) if (b.received or 0) > reconnected])
    trusted = taken.counts().latency
    for beat in taken.events(Heartbeat):
        if stalled < (beat.received or 0) < reconnected:
            assert beat.ts <= stalled - trusted


def test_markets_of_one_exchange_are_apart() -> None:
    captures = [made(300, "spot"), made(300, "usdm", first=900), made(300, "spot", "ETHUSDT")]
    with taking(BinanceStandIn(captures)) as taken:
        for capture in captures:
            taken.play(capture.trades[99].id, capture.name)
        taken.standin.trouble.drop()
        for capture in captures:
            taken.play(capture.trades[-1].id, capture.name)
            assert whole(taken, capture.name)


@pytest.mark.parametrize("trouble", ["abort", "stall", "skip", "repeat"])
def test_an_exchange_of_another_family_may_do_what_it_likes_too(trouble: str) -> None:
    with taking(OkxStandIn([made(ALL)], aggregated=False)) as taken:
        taken.play(DISTURBED)
        order = getattr(taken.standin.trouble, trouble)
        order(5) if trouble in ("skip", "repeat") else order()
        taken.standin.play_until(trade=2 * DISTURBED)
        taken.until(taken.listening)
        taken.play(ALL)
        assert whole(taken)


def test_trades_that_an_exchange_sums_are_no_holes() -> None:
    alike = [RawTrade(n, "5.0", "0.1", 1_000, maker=True) for n in range(1, 100)]
    capture = Capture.of([*alike, RawTrade(100, "5.1", "0.1", 1_000, maker=True)])
    with taking(OkxStandIn([capture])) as taken:
        taken.play(100)
        assert taken.ids() == [99, 100]
        assert taken.counts().holes == 0


def ended(source: Exchange) -> None:
    """Take in until it goes wrong."""
    while source.wait(60):
        source.drain()


def test_an_exchange_that_is_away_is_waited_for() -> None:
    standin = BinanceStandIn([made(100)])
    standin.trouble.fail(503, times=3)
    with taking(standin) as taken:
        taken.play(100)
        assert whole(taken)
        assert standin.trouble.counts["status 503"] == 3


def test_while_nobody_answers_the_user_is_told() -> None:
    standin = BinanceStandIn([made(100)])
    with standin:
        standin.trouble.fail(503, times=1_000)
        with Exchange(["binance:BTC/USDT"], {"binance": standin.url}) as source:
            standin.wait(lambda: source.troubles)
            [line] = source.troubles
    assert line.startswith("binance cannot be reached (")
    assert line.endswith("; trying again")


def test_while_nothing_comes_the_user_is_told() -> None:
    standin = BinanceStandIn([made(100)])
    with taking(standin) as taken:
        taken.play(50)
        assert taken.source.troubles == []
        standin.trouble.refuse(6)
        standin.trouble.abort()
        taken.until(lambda: taken.source.troubles)
        [line] = taken.source.troubles
        assert line.startswith("binance:BTC/USDT: nothing comes from binance (")
        taken.play(100)
        taken.until(lambda: not taken.source.troubles)
        assert whole(taken)
        assert taken.counts().stalls == 0


def test_a_market_that_there_is_not_is_told_with_those_that_are_called_alike() -> None:
    with (
        BinanceStandIn([made(10)]) as standin,
        Exchange(["binance:BTC/USD"], {"binance": standin.url}) as source,
        pytest.raises(VenueError, match=r"no market 'BTC/USD'; did you mean BTC/USDT"),
    ):
        ended(source)


def test_an_exchange_that_there_is_not_is_told() -> None:
    with Exchange(["binanc:BTC/USDT"]) as source, pytest.raises(VenueError, match="'binanc'"):
        ended(source)


def test_a_market_is_given_once() -> None:
    with pytest.raises(VenueError, match="'okx:BTC/USDT' is given twice"):
        Exchange(["okx:BTC/USDT", "okx:BTC/USDT"])


def test_numbers_that_the_exchange_tells_when_asked_are_on_the_tape_of_the_contract() -> None:
    captures = [made(50, "usdm"), made(50, "spot")]
    series = ["funding", "open_interest"]
    with taking(BinanceStandIn(captures), asks=Asks(series, 0.1)) as taken:
        taken.until(lambda: {v.series for v in taken.events(Value, "usdm:BTCUSDT")} == {*series})
        assert not taken.events(Value, "spot:BTCUSDT")
