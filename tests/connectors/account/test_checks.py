"""An account that is not as it must be does not trade, and is told what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal

import pytest

from connectors.account.account import TradingVenue
from connectors.account.checks import Margin, check_account, check_market
from connectors.account.orders import RefusedError
from connectors.venue.venue import VenueError
from tests.connectors.desk import COIN, PERPETUAL, binance, venue
from tests.standin.account import Account


def checked(
    account: Account,
    work: Callable[[TradingVenue], Coroutine[None, None, object]],
    sandbox: bool = False,
) -> object:
    async def run() -> object:
        async with venue(exchange, sandbox=sandbox) as client:
            return await work(client)

    with binance(account) as exchange:
        return asyncio.run(run())


def test_keys_that_may_withdraw_are_refused_with_the_remedy() -> None:
    with pytest.raises(VenueError, match=r"may withdraw money from binance: make keys there that"):
        checked(Account(withdraws=True), check_account)


def test_keys_that_may_only_trade_are_all_right() -> None:
    assert checked(Account(), check_account) == ""


def test_play_money_cannot_be_withdrawn() -> None:
    assert checked(Account(withdraws=True), check_account, sandbox=True) == ""


@pytest.mark.parametrize("sandbox", [False, True])
def test_keys_that_are_wrong_are_refused(sandbox: bool) -> None:
    with pytest.raises(RefusedError, match="AuthenticationError"):
        checked(Account(secret="another"), check_account, sandbox=sandbox)


def test_hedge_mode_is_refused_with_the_remedy() -> None:
    with pytest.raises(VenueError, match=r"has hedge mode.*set it to one-way mode at binance"):
        checked(Account(hedged=True), lambda client: check_market(client, PERPETUAL))


def test_a_spot_market_has_no_modes() -> None:
    checked(Account(hedged=True), lambda client: check_market(client, COIN, 3, "isolated"))


@pytest.mark.parametrize(("leverage", "margin"), [(20, "cross"), (7, "isolated")])
def test_the_leverage_and_margin_that_are_wanted_are_all_right(
    leverage: int, margin: Margin
) -> None:
    account = Account(leverage=leverage, isolated=margin == "isolated")
    checked(account, lambda client: check_market(client, PERPETUAL, leverage, margin))


def test_another_leverage_is_refused_with_the_remedy() -> None:
    match = r"leverage is 20, and 3 is wanted; set it at binance, or start with --leverage 20"
    with pytest.raises(VenueError, match=match):
        checked(Account(leverage=20), lambda client: check_market(client, PERPETUAL, 3))


def test_another_margin_is_refused() -> None:
    with pytest.raises(VenueError, match="margin is cross, and isolated is wanted"):
        checked(
            Account(futures={"USDT": Decimal(1)}),
            lambda client: check_market(client, PERPETUAL, margin="isolated"),
        )
