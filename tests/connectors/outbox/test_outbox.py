"""The outbox: all of a change or nothing, each thing found again, each report told in its order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.account.limits import Result
from connectors.blotter.modes import Mode, Scope
from connectors.blotter.order import Slip
from connectors.blotter.position import Holding, Key
from connectors.outbox.outbox import Outbox, OutboxView
from schemas import Command, Instrument, Position, Reject, Report

MARKET = "okx:A/B"
KEY = Key("demo", "1f", MARKET, 1)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture
def outbox(place: Path) -> Iterator[Outbox]:
    with closing(opened(place)) as outbox:
        yield outbox


def opened(place: Path, first: int = 100) -> Outbox:
    return Outbox(place, "main", clock=lambda: first, synchronous="OFF")


def slip(id_: str = "a", **more: object) -> Slip:
    return Slip(id_, MARKET, "buy", "market", Decimal(3), **more)  # type: ignore[arg-type]


def report(status: str) -> Report:
    return Report(MARKET, 5, "main", "demo", "a", status)


def test_what_is_kept_is_there_again(place: Path) -> None:
    with closing(opened(place)) as outbox, outbox.whole():
        outbox.put_slip(slip(exchange_id="17", sent_at=7))
        outbox.put_holding(Holding(*KEY, "long"))
        outbox.put_ask("demo", "1f", MARKET, 1, "enter", "all of it")
        outbox.put_deal(MARKET, "t1", "buy", "a")
        outbox.put_mode(Scope("", MARKET), Mode("halted", "by me"))
        outbox.put_baseline(MARKET, Decimal("1.50"))
        outbox.put_result(Result("B", 3))
        outbox.put_instrument(Instrument(MARKET, 5, None, Decimal(1), Decimal(0), Decimal(1)))
        outbox.put_flow("demo", "1f")
        outbox.put_offset(Position("queue/0", 8))
    with closing(opened(place)) as again:
        assert again.slip("a") == again.slip_at(MARKET, "17") == slip(exchange_id="17", sent_at=7)
        assert again.slip("b") is again.slip_at("okx:C/B", "17") is None
        assert again.holding(KEY) == Holding(*KEY, "long")
        assert again.ask("demo", "1f", MARKET, 1, "enter") == "all of it"
        assert again.ask("demo", "1f", MARKET, 1, "exit") is None
        assert again.knows(MARKET, "t1", "buy")
        assert not again.knows(MARKET, "t1", "sell")
        assert again.modes() == {Scope("", MARKET): Mode("halted", "by me")}
        assert again.baselines() == {MARKET: Decimal("1.50")}
        assert again.results() == [Result("B", 3)]
        assert [instrument.market for instrument in again.instruments()] == [MARKET]
        assert again.flows() == [("demo", "1f")]
        assert again.offsets() == {"queue/0": 9}
        assert (again.sent_since(7), again.sent_since(8)) == ([7], [])


def test_a_change_and_its_reports_are_kept_whole_or_not_at_all(place: Path) -> None:
    def half(outbox: Outbox) -> None:
        with outbox.whole():
            outbox.put_slip(slip())
            outbox.put_word(report("sent"))
            raise KeyError

    with closing(opened(place)) as outbox, pytest.raises(KeyError):
        half(outbox)
    with closing(opened(place)) as again:
        assert (again.slips(), again.unpublished()) == ([], [])


def test_what_is_over_is_still_found_but_not_listed(outbox: Outbox) -> None:
    with outbox.whole():
        outbox.put_slip(slip(status="cancelled"))
        outbox.put_slip(slip("b", status="filled", final=Decimal(3)))
        outbox.put_holding(Holding(*KEY, "long", stage="over"))
    assert [live.id for live in outbox.slips()] == ["b"]
    assert outbox.holdings() == []
    assert outbox.slip("a") is not None
    assert outbox.holding(KEY) is not None


def test_reports_are_numbered_and_wait_in_order_until_they_are_published(place: Path) -> None:
    command = Command(MARKET, 5, "reduce", who="the executor")
    with closing(opened(place)) as outbox:
        with outbox.whole():
            outbox.put_word(report("sent"))
            outbox.put_word(command)
            outbox.put_word(report("filled"))
        words = outbox.unpublished()
        assert [number for number, _ in words] == [101, 102, 103]
        assert words[1][1] == command
        assert [w.number for _, w in words if isinstance(w, Report)] == [101, 103]
        assert outbox.unpublished(1) == words[:1]
        outbox.published(102)
        assert outbox.unpublished() == words[2:]
        outbox.published(103)
    with closing(opened(place, first=50)) as again, again.whole():
        again.put_word(report("closed"))
        assert [number for number, _ in again.unpublished()] == [104]


def test_a_new_outbox_counts_above_the_one_before(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "new", first=500)) as outbox, outbox.whole():
        outbox.put_word(report("sent"))
        assert outbox.unpublished()[0][0] == 501


def test_what_nobody_can_read_is_kept_whole(outbox: Outbox) -> None:
    with outbox.whole():
        outbox.put_unread(Reject("unknown", 0, "not JSON", "{", Position("queue/0", 3)))
    rows = outbox._rows("SELECT * FROM unread")
    assert [tuple(map(str, row)) for row in rows] == [("queue/0", "3", "not JSON", "{")]


def test_others_can_look_while_it_is_written(outbox: Outbox, place: Path) -> None:
    with closing(OutboxView(place)) as view:
        assert (view.account, view.slips(), view.waiting()) == ("main", [], 0)
        with outbox.whole():
            outbox.put_slip(slip())
            outbox.put_word(report("sent"))
            assert view.slips() == []
        assert (view.slips(), view.waiting()) == ([slip()], 1)
        with outbox.whole():
            outbox.put_mode(Scope("", ""), Mode("halted", "by me"))
        assert view.modes() == {Scope("", ""): Mode("halted", "by me")}
        with outbox.whole():
            outbox.put_mode(Scope("", ""), None)
        assert view.modes() == {}
