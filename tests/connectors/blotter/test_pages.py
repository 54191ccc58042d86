"""The pages: in memory as in the outbox, whatever was changed, and found however old it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.blotter.modes import Mode, Scope
from connectors.blotter.order import Slip
from connectors.blotter.pages import Pages
from connectors.blotter.position import Holding, Key
from connectors.outbox.outbox import Outbox
from schemas import MINUTE, Instrument, Position

MARKET = "okx:A/B"
KEY = Key("demo", "1f", MARKET, 1)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox(tmp_path / "outbox", "main", lambda: 0, "OFF")) as outbox:
        yield outbox


def slip(id_: str = "a", exchange_id: str = "17") -> Slip:
    return Slip(
        id_, MARKET, "buy", "market", Decimal(3), flow="demo", run="1f", position=1,
        purpose="enter", exchange_id=exchange_id,
    )  # fmt: skip


def begun(outbox: Outbox) -> Pages:
    pages = Pages("main", outbox)
    with pages.turn(Position("queue/0", 3)):
        pages.add(pages.open(Holding(*KEY, "long")), slip())
    return pages


def test_what_an_input_changed_is_there_after_a_crash(outbox: Outbox) -> None:
    pages = begun(outbox)
    with pages.turn():
        [(case, order)] = pages.mine("a")
        order.status, case.holding.entered = "acknowledged", Decimal(2)
    again = Pages("main", outbox)
    [(case, order)] = again.mine("a")
    assert (order.status, case.holding.entered) == ("acknowledged", Decimal(2))
    assert again.cases[KEY] is case
    assert outbox.offsets() == {"queue/0": 4}


def test_an_input_that_fails_leaves_nothing_behind(outbox: Outbox) -> None:
    def fail(pages: Pages) -> None:
        with pages.turn(Position("queue/0", 9)):
            pages.add(pages.open(Holding(*KEY._replace(position=2), "long")), slip("b"))
            raise KeyError

    pages = begun(outbox)
    with pytest.raises(KeyError):
        fail(pages)
    assert list(Pages("main", outbox).cases) == [KEY]
    assert outbox.offsets() == {"queue/0": 4}


@pytest.mark.parametrize("restarted", [False, True])
def test_an_order_is_found_by_either_id_also_when_it_is_long_over(
    outbox: Outbox, restarted: bool
) -> None:
    pages = begun(outbox)
    for over in (False, True):
        if over:
            with pages.turn():
                [(case, order)] = pages.mine("a")
                order.end("cancelled")
                case.holding.stage = "over"
                pages.drop(case, order)
            assert pages.cases == {}
        if restarted:
            pages = Pages("main", outbox)
        for id_, exchange_id in (("a", ""), ("", "17"), ("a", "99")):
            found = pages.find(id_, MARKET, exchange_id)
            assert found is not None
            assert (found[0].holding.key, found[1].id) == (KEY, "a")
        assert pages.find("", MARKET, "99") is None
        assert pages.find("", "okx:C/B", "17") is None
        assert pages.find("", MARKET, "") is None


def test_what_is_over_and_changes_again_is_open_again(outbox: Outbox) -> None:
    pages = begun(outbox)
    with pages.turn():
        [(case, order)] = pages.mine("a")
        order.end("cancelled")
        case.holding.stage = "over"
        pages.drop(case, order)
    with pages.turn():
        found = pages.find("a", MARKET, "")
        assert found is not None
        found[0].holding.stage = "leaving"
        pages.touch(found[0])
    assert list(pages.cases) == list(Pages("main", outbox).cases) == [KEY]


def test_modes_and_baselines_and_instruments_are_kept(outbox: Outbox) -> None:
    pages = begun(outbox)
    instrument = Instrument(MARKET, 5, None, Decimal(1), Decimal(0), Decimal(1))
    with pages.turn():
        pages.switch(Scope("", MARKET), Mode("halted", "by me"))
        pages.rebase(MARKET, Decimal(7))
        pages.learn(instrument)
    again = Pages("main", outbox)
    assert again.modes.of("demo", MARKET).mode == "halted"
    assert (again.baseline(MARKET), again.baseline("okx:C/B")) == (Decimal(7), Decimal(0))
    assert again.instruments == {MARKET: instrument}
    with again.turn():
        again.switch(Scope("", ""), None)
    assert outbox.modes() == {}


def test_the_orders_of_a_minute_are_counted(outbox: Outbox) -> None:
    pages = begun(outbox)
    for now in (0, 5, MINUTE):
        pages.sent(now)
    assert [pages.count(now) for now in (MINUTE - 1, MINUTE, MINUTE + 5)] == [3, 2, 1]
