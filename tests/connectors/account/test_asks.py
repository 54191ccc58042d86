"""An exchange is asked until there is an answer, or one of three errors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import ccxt
import pytest

from connectors.account.asks import Asks, MissingError
from connectors.account.client import TradingClient
from connectors.account.orders import BusyError, DoubtfulError, OrderError, RefusedError


class _Client:
    """Knows only its clock."""

    has = {"fetchTime": True}  # noqa: RUF012 - as ccxt's

    def __init__(self) -> None:
        self.set = 0

    async def load_time_difference(self) -> int:
        self.set += 1
        return 0


def asked(answers: Sequence[object], may_miss: bool = False) -> tuple[object, int, int]:
    """Return an answer, how often was asked, and how often the clock was set."""
    left, client = [*answers], _Client()

    async def ask() -> object:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def run() -> object:
        return await Asks(cast("TradingClient", client)).order(ask, may_miss)

    return asyncio.run(run()), len(answers) - len(left), client.set


def test_an_answer_is_returned() -> None:
    assert asked([7]) == (7, 1, 0)


def test_a_clock_that_is_off_is_set_and_it_is_asked_once_more() -> None:
    assert asked([ccxt.InvalidNonce("-1021"), 7]) == (7, 2, 1)


def test_a_clock_that_stays_off_is_no_clock_to_trade_by() -> None:
    with pytest.raises(BusyError):
        asked([ccxt.InvalidNonce("-1021"), ccxt.InvalidNonce("-1021"), 7])


@pytest.mark.parametrize(
    ("error", "kind"),
    [(ccxt.InvalidOrder("no"), RefusedError), (ccxt.DDoSProtection("slow"), BusyError),
     (ccxt.RequestTimeout("?"), DoubtfulError), (KeyError("data"), DoubtfulError)],
)  # fmt: skip
def test_an_error_is_one_of_three_and_nothing_is_asked_again(
    error: Exception, kind: type[OrderError]
) -> None:
    with pytest.raises(kind):
        asked([error, 7])


def test_that_there_is_none_is_told_to_who_wants_to_know() -> None:
    with pytest.raises(MissingError):
        asked([ccxt.OrderNotFound("none")], may_miss=True)
    with pytest.raises(DoubtfulError):
        asked([ccxt.OrderNotFound("none")])


def test_an_exchange_that_does_not_tell_its_time_leaves_the_clock_as_it_was() -> None:
    class Dumb(_Client):
        async def load_time_difference(self) -> int:
            raise ccxt.ExchangeNotAvailable("503")

    asyncio.run(Asks(cast("TradingClient", Dumb())).set_clock())
