"""How an exchange is asked: in turn, by a clock that fits its own, with one of three errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import ccxt

from connectors.account.client import NO_ANSWER, TradingClient, last_answer
from connectors.account.orders import OrderError
from connectors.account.turns import Turns
from connectors.venue.answers import answered
from connectors.venue.errors import judged

T = TypeVar("T")


class MissingError(Exception):
    """The exchange says that it has no such order."""


class Asks:
    """Ask an exchange.

    Parameters
    ----------
    client
        Its client.

    """

    def __init__(self, client: TradingClient) -> None:
        self.client = client
        self._turns = Turns()

    async def order(self, ask: Callable[[], Awaitable[T]], may_miss: bool = False) -> T:
        """Return an answer that an order waits for.

        Parameters
        ----------
        ask
            Asks; it may be called twice.
        may_miss
            Whether to raise `MissingError` when there is no such order.

        Raises
        ------
        OrderError
            When there is no answer that helps.

        """
        return await self._asked(ask, True, may_miss)

    async def query(self, ask: Callable[[], Awaitable[T]], may_miss: bool = False) -> T:
        """Return any other answer; see `order`."""
        return await self._asked(ask, False, may_miss)

    async def set_clock(self) -> None:
        """Learn how far the exchange's clock is from ours; without an answer nothing changes."""
        if self.client.has.get("fetchTime"):
            try:
                await self._once(self.client.load_time_difference, True, may_miss=False)
            except (OrderError, ccxt.InvalidNonce):
                return

    async def _asked(self, ask: Callable[[], Awaitable[T]], urgent: bool, may_miss: bool) -> T:
        try:
            return await self._once(ask, urgent, may_miss)
        except ccxt.InvalidNonce:  # surely not taken: our clock or the exchange's was moved
            await self.set_clock()
        try:
            return await self._once(ask, urgent, may_miss)
        except ccxt.InvalidNonce as error:
            raise judged(error) from None

    async def _once(self, ask: Callable[[], Awaitable[T]], urgent: bool, may_miss: bool) -> T:
        last_answer.set(NO_ANSWER)
        try:
            async with self._turns.order() if urgent else self._turns.query():
                return await answered(ask())
        except ccxt.InvalidNonce:
            raise
        except ccxt.BaseError as error:
            if may_miss and isinstance(error, ccxt.OrderNotFound):
                raise MissingError from None
            told = last_answer.get()
            raise judged(error, told.status, told.wait) from None
