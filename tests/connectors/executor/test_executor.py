"""The executor, with ccxt's real client at a stand-in exchange that misbehaves in every way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.account.account import TradingVenue
from connectors.account.keys import AccountKeys
from connectors.executor.executor import Executor
from connectors.venue.venue import VenueError
from schemas import SECOND
from tests.connectors.desk import (
    COIN,
    KEYS,
    NAMES,
    OKX,
    PERPETUAL,
    binance,
    engine,
    exchange_of,
)
from tests.connectors.executing import (
    ACCOUNT,
    QUICK,
    SETTINGS,
    Bench,
    entry,
    executing,
    leave,
    resting,
    standing,
)
from tests.connectors.memory_log import MemoryLog
from tests.standin.account import Account
from tests.standin.binance import BinanceStandIn
from tests.standin.client import until
from tests.standin.exchange import StandIn

EACH = pytest.mark.parametrize("market", [COIN, PERPETUAL, OKX])
EXCHANGES = pytest.mark.parametrize("market", [PERPETUAL, OKX])
SPOTS = {COIN, OKX}
Scene = Callable[[Bench], Coroutine[None, None, None]]


def played(
    directory: Path,
    scene: Scene,
    settings: object = SETTINGS,
    account: Account | None = None,
    market: str = COIN,
) -> Bench:
    """Play a scene with an executor; what was told and done is left to be looked at."""

    async def run(exchange: StandIn) -> Bench:
        async with executing(exchange, directory, settings) as bench:  # type: ignore[arg-type]
            await scene(bench)
        return bench

    with exchange_of(market, account) as exchange:
        return asyncio.run(run(exchange))


def ids(bench: Bench) -> list[str]:
    return bench.exchange.accounts["main"].ids


def position(bench: Bench, market: str) -> Decimal:
    """Return what the exchange says that is held."""
    account = bench.exchange.accounts["main"]
    return account.position(NAMES[market]) if market == PERPETUAL else account.balance("BTC")


def dust(market: str) -> Decimal:
    """Return what the fee of a coin leaves of a lot, which cannot be sold."""
    return Decimal("0.01") if market in SPOTS else Decimal(0)


async def opened(bench: Bench, market: str, amount: str = "2.00", **more: object) -> None:
    """Open a position, and see it protected."""
    bench.ask(entry(market, amount=amount, **more))  # type: ignore[arg-type]
    await bench.until_told("enter filled")
    await until(lambda: resting(bench.exchange, market) > 0)


async def closed(bench: Bench, market: str) -> None:
    """Leave it, and see that nothing is left and all is told, each once."""
    bench.ask(leave(market))
    await bench.until_told("closed")
    assert bench.held(market) == dust(market)
    assert not bench.exchange.accounts["main"].open_orders()
    assert len({*ids(bench)}) == len(ids(bench))
    fills = {str(deal.id) for _, deal in bench.exchange.accounts["main"].fills}
    assert {report.trade_id for report in bench.reports if report.trade_id} == fills
    if market == PERPETUAL:
        assert position(bench, market) == 0


def test_a_position_is_entered_protected_left_and_told(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await opened(bench, PERPETUAL)
        (stop,) = bench.exchange.accounts["main"].open_orders()
        assert stop.wanted.reduce_only
        assert resting(bench.exchange, PERPETUAL) == position(bench, PERPETUAL) == Decimal("2.00")
        await closed(bench, PERPETUAL)

    bench = played(tmp_path, scene)
    statuses = bench.statuses()
    assert statuses[0] == "enter sent"
    assert statuses[-1] == "closed"
    assert statuses.index("enter filled") < statuses.index("stop acknowledged")
    assert statuses.index("stop cancelled") < statuses.index("exit sent")
    assert standing(bench.outbox) == (0, 0)
    assert [report.number for report in bench.reports] == sorted(
        report.number for report in bench.reports
    )


def _lost_after(exchange: StandIn) -> None:
    exchange.order_trouble.lose("place", times=2, after=True)


def _lost_before(exchange: StandIn) -> None:
    exchange.order_trouble.lose("place", times=2, after=False)


def _lost_and_denied(exchange: StandIn) -> None:
    exchange.order_trouble.lose("place", after=True)
    exchange.order_trouble.deny(1)


def _late(exchange: StandIn) -> None:
    exchange.order_trouble.slow(1.5)


def _cancels_lost(exchange: StandIn) -> None:
    exchange.order_trouble.lose("cancel", after=True)


def _cancels_ignored(exchange: StandIn) -> None:
    exchange.order_trouble.lose("cancel", after=False)


def _twice(exchange: StandIn) -> None:
    exchange.report_trouble.repeat(20)


def _reversed(exchange: StandIn) -> None:
    exchange.report_trouble.reorder(2)


def _skipped(exchange: StandIn) -> None:
    exchange.report_trouble.skip(20)


def _silent(exchange: StandIn) -> None:
    exchange.report_trouble.silence()


def _busy(exchange: StandIn) -> None:
    exchange.order_trouble.fail(429, times=2, retry_after=1.0)


def _failing(exchange: StandIn) -> None:
    exchange.order_trouble.fail(503, times=2)


def _failing_after(exchange: StandIn) -> None:
    exchange.order_trouble.fail(502, times=2, after=True)


def _skewed(exchange: StandIn) -> None:
    exchange.order_trouble.skew(-70_000)


def _queries_fail(exchange: StandIn) -> None:
    exchange.order_trouble.fail(500, "read", times=6)
    exchange.order_trouble.fail(500, "look up", times=2)


FAULTS: dict[str, tuple[Callable[[StandIn], None], str]] = {
    "answer lost after accept": (_lost_after, "in doubt"),
    "answer lost before accept": (_lost_before, "in doubt"),
    "answer lost, then not shown at first": (_lost_and_denied, "in doubt"),
    "answer too late": (_late, "in doubt"),
    "answer to a cancel lost": (_cancels_lost, ""),
    "cancel lost": (_cancels_ignored, ""),
    "reports twice": (_twice, ""),
    "reports out of order": (_reversed, ""),
    "reports missing": (_skipped, ""),
    "no reports at all": (_silent, ""),
    "429": (_busy, "the exchange is busy"),
    "503": (_failing, "in doubt"),
    "502 after accept": (_failing_after, "in doubt"),
    "clock 70 s off": (_skewed, ""),
    "queries fail": (_queries_fail, "no entry goes there before"),
}


@pytest.mark.parametrize("fault", FAULTS)
@EACH
def test_whatever_goes_wrong_one_position_is_opened_protected_and_left(
    tmp_path: Path, market: str, fault: str, record_property: Callable[[str, object], None]
) -> None:
    strike, told = FAULTS[fault]

    async def scene(bench: Bench) -> None:
        assert bench.executor is not None
        bench.executor.venue.client.timeout = 1_000  # type: ignore[attr-defined]
        strike(bench.exchange)
        await opened(bench, market)
        await closed(bench, market)

    bench = played(tmp_path, scene, market=market)
    assert any(told in line for line in bench.lines) or not told
    record_property("told", bench.lines)


@EACH
def test_a_rejected_entry_is_told_and_nothing_is_held(tmp_path: Path, market: str) -> None:
    async def scene(bench: Bench) -> None:
        bench.exchange.order_trouble.reject("balance" if market in SPOTS else "margin")
        bench.ask(entry(market))
        await bench.until_told("enter rejected")

    bench = played(tmp_path, scene, market=market)
    (rejected,) = [r for r in bench.reports if r.status == "rejected"]
    assert "InsufficientFunds" in rejected.reason
    assert not ids(bench)
    assert standing(bench.outbox) == (0, 0)


@EACH
def test_an_entry_that_fills_in_part_is_protected_for_that_part(
    tmp_path: Path, market: str
) -> None:
    async def scene(bench: Bench) -> None:
        bench.exchange.order_trouble.partial(0.5, NAMES[market])
        price = engine(bench.exchange, market).last + 10
        bench.ask(entry(market, amount="4.00", kind="limit", price=price))
        await bench.until_told("enter partially filled")
        await until(lambda: resting(bench.exchange, market) >= Decimal("1.99"))
        await closed(bench, market)

    played(tmp_path, scene, market=market)


@EACH
def test_fills_while_the_stream_is_cut_are_found(tmp_path: Path, market: str) -> None:
    async def scene(bench: Bench) -> None:
        price = engine(bench.exchange, market).last - 1
        bench.ask(entry(market, kind="limit", price=price))
        await bench.until_told("enter acknowledged")
        bench.exchange.report_trouble.silence()
        await asyncio.to_thread(bench.exchange.report_trouble.cut)
        await asyncio.to_thread(bench.exchange.play_until, line=200)
        await bench.until_told("enter filled")
        await until(lambda: resting(bench.exchange, market) > 0)
        await closed(bench, market)

    bench = played(tmp_path, scene, market=market)
    assert any("private stream" in line for line in bench.lines)


@EXCHANGES
def test_maintenance_is_waited_for(tmp_path: Path, market: str) -> None:
    async def scene(bench: Bench) -> None:
        await opened(bench, market)
        await asyncio.to_thread(bench.exchange.order_trouble.maintain)
        bench.ask(leave(market))
        await until(lambda: any("in doubt" in line for line in bench.lines))
        await asyncio.to_thread(bench.exchange.order_trouble.maintain, on=False)
        await bench.until_told("closed")
        assert position(bench, market) <= dust(market)

    played(tmp_path, scene, market=market)


@EXCHANGES
@pytest.mark.parametrize("heard", [True, False])
def test_a_stop_that_triggers_ends_the_position_and_is_told(
    tmp_path: Path, market: str, heard: bool
) -> None:
    async def scene(bench: Bench) -> None:
        await opened(bench, market, stop=0.015)
        bench.exchange.report_trouble.silence(not heard)
        await asyncio.to_thread(bench.exchange.play_until, line=600)
        await bench.until_told("closed")
        assert "stop filled" in bench.statuses()
        assert bench.held(market) == dust(market)
        assert position(bench, market) <= dust(market)

    settings = replace(SETTINGS, reconcile_seconds=600.0) if heard else SETTINGS
    played(tmp_path, scene, settings, market=market)


def test_the_same_order_twice_is_sent_once(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        order = entry(PERPETUAL)
        for _ in range(3):
            bench.ask(order)
        await bench.until_told("enter filled")
        bench.ask(order)
        await closed(bench, PERPETUAL)

    assert len([r for r in played(tmp_path, scene).reports if r.purpose == "enter"]) <= 4


def test_an_entry_that_is_too_old_is_not_sent_but_told(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        order = entry(PERPETUAL)
        bench.ask(replace(order, ts=order.ts - 60 * SECOND))
        await bench.until_told("enter expired")

    assert not ids(played(tmp_path, scene))


def test_an_entry_that_is_called_off_rests_no_more(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        order = entry(COIN, kind="limit", price=Decimal("90.0"))
        bench.ask(order)
        await bench.until_told("enter acknowledged")
        bench.ask(replace(order, action="cancel"))
        await bench.until_told("enter cancelled")
        assert not bench.exchange.accounts["main"].open_orders()

    played(tmp_path, scene)


def test_who_is_halted_enters_nothing_until_resumed(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.tell("halt")
        bench.ask(entry(PERPETUAL, 1))
        await bench.until_told("enter rejected", 1)
        bench.tell("resume")
        bench.ask(entry(PERPETUAL, 2))
        await bench.until_told("enter filled", 2)

    bench = played(tmp_path, scene)
    assert "halt by me" in bench.lines


def test_what_is_flattened_is_sold_at_once_without_the_flow(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await opened(bench, PERPETUAL)
        bench.tell("flatten")
        await bench.until_told("closed")
        assert position(bench, PERPETUAL) == 0
        assert not bench.exchange.accounts["main"].open_orders()

    played(tmp_path, scene)


@pytest.mark.parametrize("on_silence", ["hold", "flatten"])
def test_a_flow_that_is_silent_enters_no_more_and_is_held_or_sold(
    tmp_path: Path, on_silence: str
) -> None:
    rules = QUICK._replace(silence=SECOND, on_silence=on_silence)  # type: ignore[arg-type]

    async def scene(bench: Bench) -> None:
        bench.live()
        await opened(bench, PERPETUAL)
        bench.ask(entry(COIN, 2, kind="limit", price=Decimal("90.0")))
        await bench.until_told("enter acknowledged", 2)
        await bench.until_told("enter cancelled", 2)
        if on_silence == "flatten":
            await bench.until_told("closed")
        else:
            assert resting(bench.exchange, PERPETUAL) == Decimal("2.00")
        await until(lambda: any("flow demo: no sign of life" in line for line in bench.lines))
        bench.live()
        await until(lambda: "flow demo: all right again" in bench.lines)

    played(tmp_path, scene, replace(SETTINGS, rules=rules))


def test_at_the_end_open_entries_are_called_off_and_stops_go_on_resting(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await opened(bench, PERPETUAL)
        bench.ask(entry(COIN, 2, kind="limit", price=Decimal("90.0")))
        await bench.until_told("enter acknowledged", 2)

    bench = played(tmp_path, scene)
    (stop,) = bench.exchange.accounts["main"].orders[1:2]
    assert stop.wanted.kind == "stop"
    assert [order.wanted.kind for order in bench.exchange.accounts["main"].open_orders()] == [
        "stop"
    ]
    assert resting(bench.exchange, PERPETUAL) == Decimal("2.00")


def test_an_executor_that_comes_back_goes_on_where_it_was(tmp_path: Path) -> None:
    async def run(exchange: BinanceStandIn) -> None:
        async with executing(exchange, tmp_path) as bench:
            await opened(bench, PERPETUAL)
        # What happens meanwhile is found: the stop acts, and an order waits in the queue.
        bench.ask(entry(COIN, 2, stop=None))
        async with executing(exchange, tmp_path, bench=bench):
            await bench.until_told("enter filled", 2)
            await closed(bench, PERPETUAL)

    with binance() as exchange:
        asyncio.run(run(exchange))


def test_who_comes_back_to_another_exchange_knows_the_stop_that_rests_there(tmp_path: Path) -> None:
    async def run(exchange: StandIn) -> None:
        async with executing(exchange, tmp_path) as bench:
            await opened(bench, OKX)
        async with executing(exchange, tmp_path, bench=bench):
            await closed(bench, OKX)

    with exchange_of(OKX) as exchange:
        asyncio.run(run(exchange))


@EXCHANGES
def test_an_order_whose_answer_nobody_waited_for_is_asked_about_first(
    tmp_path: Path, market: str
) -> None:
    settings = replace(SETTINGS, reconcile_seconds=600.0, leave_seconds=0.1)

    async def run(exchange: StandIn) -> None:
        account = exchange.accounts["main"]
        exchange.report_trouble.silence()
        async with executing(exchange, tmp_path, settings) as bench:
            exchange.order_trouble.slow(4.0)
            bench.ask(entry(market, stop=None))
            await until(lambda: account.orders)
        assert bench.statuses() == ["enter sent"]
        async with executing(exchange, tmp_path, settings, bench):
            await bench.until_told("enter filled")
        assert "enter unknown" in bench.statuses()
        assert len(account.orders) == 1

    with exchange_of(market) as exchange:
        asyncio.run(run(exchange))


@EXCHANGES
def test_a_stop_that_acts_while_nobody_is_there_is_told_by_who_comes_back(
    tmp_path: Path, market: str
) -> None:
    async def run(exchange: StandIn) -> None:
        async with executing(exchange, tmp_path) as bench:
            await opened(bench, market, stop=0.015)
        await asyncio.to_thread(exchange.play_until, line=600)
        assert position(bench, market) <= dust(market)
        async with executing(exchange, tmp_path, bench=bench):
            await bench.until_told("closed")
            assert "stop filled" in bench.statuses()
            assert bench.held(market) == dust(market)

    with exchange_of(market) as exchange:
        asyncio.run(run(exchange))


def test_a_message_that_cannot_be_read_is_told_and_stops_nothing(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.queue.append(ACCOUNT, b"{")
        await opened(bench, PERPETUAL)

    bench = played(tmp_path, scene)
    assert any("cannot be read" in line for line in bench.lines)


def test_funding_is_told_once(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await opened(bench, PERPETUAL)
        exchange = bench.exchange
        await asyncio.to_thread(
            exchange.call, lambda: exchange.trading.fund(NAMES[PERPETUAL], Decimal("0.0001"))
        )
        await bench.until_told("funding")
        await until(lambda: exchange.order_trouble.counts["read"] > 30)
        assert bench.statuses().count("funding") == 1

    played(tmp_path, scene, replace(SETTINGS, funding_seconds=0.1))


def test_hedge_mode_lets_no_entry_through_and_says_so(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.ask(entry(PERPETUAL))
        await until(lambda: any("one-way mode" in line for line in bench.lines))

    assert not ids(played(tmp_path, scene, account=Account(hedged=True)))


def test_an_exchange_that_is_away_at_the_start_is_waited_for(tmp_path: Path) -> None:
    async def run(exchange: BinanceStandIn) -> None:
        exchange.trouble.fail(503, times=2)
        async with executing(exchange, tmp_path) as bench:
            assert any("cannot be reached" in line for line in bench.lines)
            await opened(bench, PERPETUAL)

    with binance() as exchange:
        asyncio.run(run(exchange))


@pytest.mark.parametrize("stop_first", [True, False])
def test_an_executor_whose_exchange_is_away_can_be_stopped(
    tmp_path: Path, stop_first: bool
) -> None:
    async def run() -> None:
        lines: list[str] = []
        client = TradingVenue(
            AccountKeys("main", "binance", "key-key", "sec-sec"), "http://127.0.0.1:9"
        )
        executor = Executor(
            ACCOUNT, client, MemoryLog(), MemoryLog, tmp_path / "outbox", SETTINGS, lines.append
        )  # fmt: skip
        if stop_first:
            executor.stop()
        work = asyncio.create_task(executor.run())
        if not stop_first:
            await until(lambda: lines)
            executor.stop()
        await work
        assert not executor.started

    asyncio.run(run())


def test_keys_that_are_refused_end_it_with_why_and_without_them(tmp_path: Path) -> None:
    async def run(exchange: BinanceStandIn) -> None:
        keys = AccountKeys("main", "binance", "MARKER-KEY", "MARKER-SECRET")
        client = TradingVenue(keys, exchange.url, sandbox=False)
        executor = Executor(ACCOUNT, client, MemoryLog(), MemoryLog, tmp_path / "outbox")
        with pytest.raises(VenueError, match="refuses account main:sandbox") as told:
            await executor.run()
        assert "MARKER" not in str(told.value)

    with binance() as exchange:
        asyncio.run(run(exchange))


def test_keys_that_may_withdraw_end_it_before_anything_is_traded(tmp_path: Path) -> None:
    async def run(exchange: BinanceStandIn) -> None:
        client = TradingVenue(KEYS, exchange.url, sandbox=False)
        executor = Executor(ACCOUNT, client, MemoryLog(), MemoryLog, tmp_path / "outbox")
        with pytest.raises(VenueError, match="may withdraw money"):
            await executor.run()

    with binance(Account(withdraws=True)) as exchange:
        asyncio.run(run(exchange))


def test_a_bug_ends_it_with_the_error_and_the_outbox_can_be_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(exchange: BinanceStandIn) -> None:
        bench = Bench(exchange, tmp_path / "outbox")

        async def stumble() -> None:
            async with executing(exchange, tmp_path, bench=bench):
                executor = bench.executor
                assert executor is not None
                monkeypatch.setattr(executor.venue, "send", lambda _place: 1 / 0)
                bench.ask(entry(PERPETUAL))
                await until(lambda: not executor.started)

        with pytest.raises(ZeroDivisionError):
            await stumble()
        async with executing(exchange, tmp_path, bench=bench):
            await bench.until_told("enter filled")
            await closed(bench, PERPETUAL)

    with binance() as exchange:
        asyncio.run(run(exchange))
