"""Orders go before queries, and queries do not wait for ever."""

from __future__ import annotations

import asyncio

import pytest

from connectors.account.turns import QUERIES, Turns


def test_a_query_waits_for_orders_that_are_under_way() -> None:
    async def run() -> None:
        turns, said = Turns(), list[str]()

        async def query() -> None:
            async with turns.query():
                said.append("query")

        async with turns.order():
            task = asyncio.ensure_future(query())
            async with turns.order():
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            said.append("orders")
        await task
        assert said == ["orders", "query"]

    asyncio.run(run())


def test_a_query_goes_on_if_orders_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.account.turns.PATIENCE", 0.01)

    async def run() -> None:
        turns = Turns()
        async with turns.order(), turns.query():
            pass

    asyncio.run(run())


def test_only_a_few_queries_are_under_way_at_once() -> None:
    async def run() -> None:
        turns, now, most = Turns(), 0, 0

        async def query() -> None:
            nonlocal now, most
            async with turns.query():
                now += 1
                most = max(most, now)
                await asyncio.sleep(0)
                now -= 1

        await asyncio.gather(*(query() for _ in range(20)))
        assert most == QUERIES

    asyncio.run(run())


def test_an_order_that_fails_lets_queries_go_on() -> None:
    async def run() -> None:
        turns = Turns()
        with pytest.raises(OSError, match="reset"):
            async with turns.order():
                raise OSError("reset")
        async with turns.query():
            pass

    asyncio.run(run())
