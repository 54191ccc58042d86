"""Work is done in order in each market, and no market waits for another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from connectors.blotter.actions import Action, Cancel, LookUp, Reconcile
from connectors.executor.lanes import Lanes


class Work:
    """Does what it is told to when a test lets it."""

    def __init__(self) -> None:
        self.began: list[Action] = []
        self.done: list[Action] = []
        self.errors: list[BaseException] = []
        self.free = {"a": asyncio.Event(), "b": asyncio.Event()}
        self.lanes = Lanes(self.do, self.errors.append)

    async def do(self, action: Action) -> None:
        self.began.append(action)
        await self.free[action.market].wait()
        if isinstance(action, LookUp):
            raise KeyError(action.id)
        self.done.append(action)


def tried(check: Callable[[Work], Coroutine[None, None, None]]) -> None:
    async def run() -> None:
        await check(Work())

    asyncio.run(run())


def test_a_market_does_one_thing_after_the_other_and_another_does_not_wait() -> None:
    async def check(work: Work) -> None:
        first, second, other = Cancel("1", "a"), Cancel("2", "a"), Cancel("3", "b")
        work.lanes.put([first, second, other])
        work.free["b"].set()
        await asyncio.sleep(0.01)
        assert work.began == [first, other]
        assert work.done == [other]
        work.free["a"].set()
        await work.lanes.idle()
        assert work.done == [other, first, second]

    tried(check)


def test_a_question_that_waits_is_not_asked_twice_but_a_cancel_is() -> None:
    async def check(work: Work) -> None:
        work.lanes.put([Reconcile("a"), Cancel("1", "a"), Reconcile("a"), Cancel("1", "a")])
        work.free["a"].set()
        await work.lanes.idle()
        assert work.done == [Reconcile("a"), Cancel("1", "a"), Cancel("1", "a")]

    tried(check)


def test_an_error_that_nobody_expected_is_told() -> None:
    async def check(work: Work) -> None:
        work.free["a"].set()
        work.lanes.put([LookUp("1", "a")])
        await work.lanes.idle()
        assert [str(error) for error in work.errors] == ["'1'"]

    tried(check)


def test_what_waits_is_dropped_at_the_end_and_what_is_under_way_broken_off() -> None:
    async def check(work: Work) -> None:
        work.lanes.put([Cancel("1", "a"), Cancel("2", "a")])
        await asyncio.sleep(0)
        await work.lanes.stop()
        assert work.began == [Cancel("1", "a")]
        assert not work.done
        assert not work.errors
        await work.lanes.idle()

    tried(check)
