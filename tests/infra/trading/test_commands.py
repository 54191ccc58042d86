"""What a person tells flows and executors: who hears it, and what is left in the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.blotter.order import Slip
from connectors.blotter.position import Holding
from connectors.executor.order_queue import Told, read_ask
from connectors.outbox.outbox import Outbox
from infra.executor.leaving import held_by, leave
from infra.lock import Lock
from infra.log.log import MarketLog, OrderQueue
from infra.log.places import Embedded
from infra.settings import Settings
from infra.trading.telling import Word, purses_of
from infra.trading.trading import Trading, default_store, executes, executor_home
from schemas import Command, Heartbeat
from schemas.wire import decode, encode
from tests.infra.rig import Rig

MARKETS = ("sim:A/USD", "sim:B/USD")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Give a home whose log has heard of two markets."""
    settings = Settings(tmp_path)
    with closing(MarketLog(settings).client()) as client:
        for market in MARKETS:
            client.append(market, encode(Heartbeat(market, 1)))
    yield Rig(tmp_path)
    OrderQueue(settings).stop()
    MarketLog(settings).stop()


def messages(rig: Rig, kind: type[MarketLog]) -> list[tuple[str, bytes]]:
    with closing(Embedded(Settings(rig.home), kind).log()) as log:
        found = []
        for name in log.partitions():
            with closing(log.open(name, 0)) as cursor:
                found += [(entry.market, entry.message) for entry in cursor.read(1_000)]
    return found


def on_the_tapes(rig: Rig) -> list[tuple[str, str, str]]:
    events = [decode(message) for _, message in messages(rig, MarketLog)]
    return sorted((e.market, e.action, e.flow) for e in events if isinstance(e, Command))


def told(rig: Rig) -> list[tuple[str, str, str, str]]:
    """Return what stands in the order queue: for whom, what, of which flow and market."""
    found = []
    for key, message in messages(rig, OrderQueue):
        ask = read_ask(message)
        assert isinstance(ask, Told)
        assert ask.account == key
        found.append((key, ask.command.action, ask.command.flow, ask.command.market))
    return sorted(found)


def holding(market: str, flow: str = "demo") -> Holding:
    return Holding(flow, "1f", market, 1, "long", entered=Decimal(3), spent=Decimal(300))


def outbox(rig: Rig, purse: str, *holdings: Holding, slips: tuple[Slip, ...] = ()) -> None:
    """Leave what an executor held when it was killed."""
    with closing(Outbox(executor_home(Settings(rig.home), purse), purse)) as box, box.whole():
        for one in holdings:
            box.put_holding(one)
        for slip in slips:
            box.put_slip(slip)


@pytest.mark.parametrize(
    "options", [(), ("--all", "--flow", "demo"), ("--all", "--market", "sim:A/USD")]
)
@pytest.mark.parametrize("action", ["halt", "flatten"])
def test_it_must_be_said_for_whom(rig: Rig, action: str, options: tuple[str, ...]) -> None:
    said = rig.deck(action, *options, status=1)
    assert f"error: deck {action}: say for whom: --flow NAME, --market NAME, or --all" in said.err
    assert on_the_tapes(rig) == []


def test_it_is_on_the_tape_of_each_market_that_it_concerns(rig: Rig) -> None:
    said = rig.deck("halt", "--flow", "demo")
    assert "halt: the flow demo, on the tapes of 2 markets" in said.out
    assert "only flows on paper hear it" in said.err
    assert on_the_tapes(rig) == [(market, "halt", "demo") for market in MARKETS]
    rig.deck("resume", "--market", MARKETS[1])
    assert on_the_tapes(rig)[-1] == (MARKETS[1], "resume", "")
    assert not OrderQueue(Settings(rig.home)).directory.exists()


def test_a_market_that_nobody_knows_is_told_and_hears_it_all_the_same(rig: Rig) -> None:
    said = rig.deck("halt", "--market", "sim:AB/USD")
    assert "nothing is known of sim:AB/USD: is it spelled so?" in said.err
    assert on_the_tapes(rig) == [("sim:AB/USD", "halt", "")]
    assert "write EXCHANGE:SYMBOL" in rig.deck("halt", "--market", "BTC", status=1).err


def test_a_flow_that_nobody_knows_is_told_and_hears_it_all_the_same(rig: Rig) -> None:
    default_store(Settings(rig.home), Path("my-flow.py"), Trading()).mkdir(parents=True)
    outbox(rig, "main:sandbox", holding("sim:A/USD", flow="held"))
    for flow in ("my-flow", "held"):
        assert "is it spelled so?" not in rig.deck("halt", "--flow", flow).err
    said = rig.deck("halt", "--flow", "my-flwo")
    assert said.status == 0
    assert "no flow my-flwo is known here: is it spelled so?" in said.err
    assert ("sim:A/USD", "halt", "my-flwo") in on_the_tapes(rig)


def test_executors_hear_it_in_the_queue_those_of_one_account_if_it_is_named(rig: Rig) -> None:
    outbox(rig, "main:sandbox", holding("sim:C/USD"))
    outbox(rig, "other-one:live")
    said = rig.deck("halt", "--all")
    assert told(rig) == [("main:sandbox", "halt", "", ""), ("other-one:live", "halt", "", "")]
    assert [market for market, _, _ in on_the_tapes(rig)] == [*MARKETS, "sim:C/USD"]
    assert said.err.count("no executor of ") == 2
    rig.deck("reduce", "--market", "sim:A/USD", "--account", "main", "--flow", "demo")
    assert told(rig)[1:2] == [("main:sandbox", "reduce", "demo", "sim:A/USD")]
    rig.deck("resume", "--all", "--account", "elsewhere")
    names = [name for name, action, _, _ in told(rig) if action == "resume"]
    assert names == ["elsewhere:live", "elsewhere:sandbox"]


def test_flatten_ends_with_what_is_left_and_waits_for_nobody_who_does_not_run(rig: Rig) -> None:
    entry = Slip("a", MARKETS[0], "buy", "limit", Decimal(2), purpose="enter", flow="demo")
    outbox(rig, "main:sandbox", holding(MARKETS[0]), holding(MARKETS[1], "b"), slips=(entry,))
    for options, left in (
        (("--all",), 3), (("--flow", "demo"), 2), (("--market", MARKETS[1]), 1),
    ):  # fmt: skip
        said = rig.deck("flatten", *options, status=1)
        assert said.out.count("main:sandbox") == left
    assert "long 3" in rig.deck("close", "--all", status=1).out
    assert "nothing of it is held any more" in rig.deck("flatten", "--flow", "none").out
    assert "long" not in rig.deck("flatten", "--all", "--no-wait").out


def test_an_executor_that_does_not_get_there_is_waited_for_so_long_and_no_longer(rig: Rig) -> None:
    outbox(rig, "main:sandbox", holding(MARKETS[0]))
    with closing(Lock(executor_home(Settings(rig.home), "main:sandbox") / "lock")):
        said = rig.deck("flatten", "--all", "--patience", "0.5", status=1)
    assert "the executor of main:sandbox is told" in said.out
    assert "long 3" in said.out


def test_dust_that_is_too_little_to_sell_is_told(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, box = Settings(rig.home), "main:sandbox"
    sold, kept, old = holding(MARKETS[0]), holding(MARKETS[1], "b"), holding(MARKETS[1], "c")
    outbox(rig, box, sold, kept)
    was = held_by(settings, [box])
    for one, rest in ((sold, "0.01"), (kept, "0"), (old, "1")):
        one.stage, one.exited = "over", 3 - Decimal(rest)
    outbox(rig, box, sold, kept, old)
    assert leave(Word("flatten"), settings, [box], 0.0, was)
    assert capsys.readouterr().out.splitlines() == [
        "nothing of it is held any more, but for what is too little to sell: 0.01 in sim:A/USD"
    ]


def test_nothing_is_said_to_be_sold_where_it_cannot_be_seen(rig: Rig) -> None:
    said = rig.deck("flatten", "--all", "--account", "main", status=1)
    assert "what main:live holds is seen only where its executor runs: look there" in said.err
    assert "nothing of it" not in said.out
    assert "nothing of it" not in rig.deck("close", "--all").out  # there is nobody to hold it


def test_who_runs_is_known_by_the_lock_and_who_was_there_by_the_outbox(tmp_path: Path) -> None:
    rig, settings = Rig(tmp_path), Settings(tmp_path)
    assert purses_of(settings, "") == []
    outbox(rig, "a-b:live")
    assert purses_of(settings, "") == purses_of(settings, "a-b") == ["a-b:live"]
    assert not executes(settings, "a-b:live")
    assert held_by(settings, ["a-b:live", "never:live"]) == []
    assert [command.who for command in Word("halt").commands(["m"])] != [""]
