"""Binance's private streams: what happened to orders, told to who may know."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from tests.standin import binance_reports as reports
from tests.standin.account import Account
from tests.standin.binance_account import listen_key
from tests.standin.binance_rest import Refusal
from tests.standin.binance_signed import Signed
from tests.standin.binance_words import algo_status
from tests.standin.capture import Json
from tests.standin.clock import PrivateClock
from tests.standin.connection import Connection
from tests.standin.orders import Deal, Happened, Order
from tests.standin.report_trouble import PRIVATE
from tests.standin.trading import Trading


class BinanceStream:
    """Who listens to what of an account, and what is said.

    Parameters
    ----------
    trading
        Knows the accounts.
    signed
        Tells who asks on the WebSocket API.
    clock
        Of the exchange.

    """

    def __init__(self, trading: Trading, signed: Signed, clock: PrivateClock) -> None:
        self._trading, self._signed, self._clock = trading, signed, clock

    def opened(self, connection: Connection) -> None:
        """Let who comes with a listen key listen to what happens to its perpetuals."""
        key = connection.query.get("listenKey")
        for account in self._trading.accounts.values():
            if key == listen_key(account):
                connection.topics[topic(account, "usdm")] = "usdm"

    def subscribed(self, connection: Connection, told: Json) -> Json:
        """Let who signs for it listen to what happens to its spot orders."""
        try:
            account = self._signed.message(told.get("params", {}))
        except Refusal as refusal:
            return {"id": told.get("id"), "status": refusal.status, "error": refusal.told}
        connection.topics[topic(account, "spot")] = "spot"
        return {"id": told.get("id"), "status": 200, "result": {"subscriptionId": 0}}

    def reports(self, order: Order, what: Happened, deal: Deal | None) -> Iterator[bytes]:
        """Yield what is said of what happened to an order."""
        now = self._clock.now()
        if order.wanted.market.startswith("spot"):
            event = reports.spot_report(order, what, deal, now)
            yield orjson.dumps({"subscriptionId": 0, "event": event})
            return
        if order.wanted.kind == "stop" and not order.triggered:
            yield orjson.dumps(reports.algo_report(order, algo_status(order), now))
            return
        if what == "triggered":
            yield orjson.dumps(reports.algo_report(order, "TRIGGERING", now))
        if order.stuck:
            return
        yield orjson.dumps(reports.usdm_report(order, what, deal, now))
        if order.triggered and (what == "triggered" or not order.open):
            yield orjson.dumps(reports.algo_report(order, algo_status(order), now))


def topic(account: Account, kind: str) -> str:
    """Return the name of an account's private stream of a kind of markets."""
    return f"{PRIVATE}{account.name}:{kind}"
