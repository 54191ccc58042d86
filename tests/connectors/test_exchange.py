"""Markets of stand-in exchanges, through ccxt's real client: whatever they do, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors import exchange_market, exchange_wire
from schemas import SECOND, Book, Gap, Instrument, Reject, Trades
from tests.connectors.taking import Taking, taking
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import Capture, made
from tests.standin.rebuild import books_at

ALL = 600
DISTURBED = 200


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is silent be found sooner: the exchange plays faster, too."""
    monkeypatch.setattr(exchange_wire, "DEAD", 1.2 * SECOND)
    monkeypatch.setattr(exchange_market, "QUIET", SECOND)
    monkeypatch.setattr(exchange_market, "SOON", SECOND)
    monkeypatch.setattr(exchange_market, "_AGAIN", 0.2)


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
    with taking(BinanceStandIn([capture], speed=40.0)) as taken:
        taken.standin.play()
        taken.until(lambda: capture.trades[-1].id in taken.ids()[-500:])
        assert isinstance(taken.tape()[0], Instrument)
        assert whole(taken)
        assert right(taken) > 3
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
    taken: Taking,
) -> None:
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


def test_books_that_the_exchange_forgot_are_asked_for_again(taken: Taking) -> None:
    standin = taken.standin
    standin.trouble.half_stall("depth")
    trade = DISTURBED
    while not taken.listening():
        trade += 1
        taken.play(trade)
    count = len(taken.events(Book))
    taken.play(trade + 5)
    taken.until(lambda: len(taken.events(Book)) > count)
    assert right(taken)
    assert whole(taken)
