"""What an exchange says of orders, fills and holdings, from ccxt's structures, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from connectors.account.orders import Deal, Known, KnownStatus
from connectors.venue.venue import Json
from schemas import Time

_MILLISECOND: Time = 1_000_000
_STATUS: Mapping[str | None, KnownStatus] = {
    None: "open",  # some say of a new order no more than that they have it
    "open": "open",
    "canceling": "open",
    "closed": "filled",
    "canceled": "cancelled",
    "expired": "expired",
    "rejected": "rejected",
}
_CLIENT_IDS = "clientAlgoId", "algoClOrdId", "clOrdId", "orderLinkId", "c"
"""How exchanges call it where ccxt does not tell it."""
_TRIGGERED_AS = "actualOrderId", "ordId", "ai"
"""How exchanges call the order that a stop became."""


class UnclearError(ValueError):
    """An answer that does not say what it must."""


def known(order: Json, market: str) -> Known:
    """Return what is said of an order.

    Raises
    ------
    UnclearError
        When its status or its numbers cannot be understood.

    Examples
    --------
    >>> told = {"id": "7", "clientOrderId": "a1", "status": "canceled", "filled": "0.10"}
    >>> known({**told, "timestamp": 5}, "binance:BTC/USDT")
    Known(id='a1', exchange_id='7', market='binance:BTC/USDT', status='cancelled', \
filled=Decimal('0.10'), ts=5000000)

    """
    said = order.get("status")
    status = _STATUS.get(said)
    if status is None:
        raise UnclearError(f"{market}: an order's status is {said!r}")
    client_id = order.get("clientOrderId") or _first(order, _CLIENT_IDS)
    filled = number(order.get("filled") or "0")
    if status == "filled" and not filled:
        status = "open"  # a stop that has triggered: what it has become is not over for that
    ts = order.get("lastUpdateTimestamp") or order.get("timestamp") or 0
    return Known(
        client_id, str(order.get("id") or ""), market, status, filled, int(ts) * _MILLISECOND
    )


def became(order: Json) -> str:
    """Return the exchange's id of the order that a stop has become, if it has.

    Examples
    --------
    >>> became({"status": "closed", "info": {"algoStatus": "FINISHED", "actualOrderId": "12"}})
    '12'

    """
    named = _first(order, _TRIGGERED_AS)
    return "" if named == str(order.get("id")) else named


def deal(trade: Json, market: str, client_id: str = "") -> Deal:
    """Return a fill; `client_id` is of its order, if that is known.

    Raises
    ------
    UnclearError
        When one of its numbers cannot be understood.

    Examples
    --------
    >>> trade = {"id": "3", "order": "7", "side": "buy", "price": "64000.10", "amount": "0.00100"}
    >>> fee = {"cost": "0.00000100", "currency": "BTC"}
    >>> found = deal({**trade, "fee": fee, "timestamp": 5}, "binance:BTC/USDT")
    >>> found.price, found.amount, found.fee, found.fee_currency
    (Decimal('64000.10'), Decimal('0.00100'), Decimal('0.00000100'), 'BTC')

    """
    fee = trade.get("fee") or {}
    return Deal(
        trade_id=str(trade["id"]),
        market=market,
        id=client_id or trade.get("clientOrderId") or _first(trade, _CLIENT_IDS),
        exchange_id=str(trade.get("order") or ""),
        side="buy" if trade["side"] == "buy" else "sell",
        price=number(trade["price"]),
        amount=number(trade["amount"]),
        fee=number(fee.get("cost") or "0"),
        fee_currency=str(fee.get("currency") or ""),
        ts=int(trade.get("timestamp") or 0) * _MILLISECOND,
    )


def balance_of(balance: Json, currency: str) -> Decimal:
    """Return what an account has of a currency, whether it is free or not.

    Examples
    --------
    >>> balance_of({"total": {"BTC": "0.30"}}, "BTC"), balance_of({"total": {}}, "BTC")
    (Decimal('0.30'), Decimal('0'))

    """
    return number((balance.get("total") or {}).get(currency) or "0")


def balances_of(balance: Json) -> dict[str, Decimal]:
    """Return what an account has of each currency that it has, whether it is free or not.

    Examples
    --------
    >>> balances_of({"total": {"USDT": "12.50", "BTC": "0.00"}})
    {'USDT': Decimal('12.50')}

    """
    totals = {name: balance_of(balance, name) for name in balance.get("total") or {}}
    return {name: amount for name, amount in sorted(totals.items()) if amount}


def position_of(positions: Iterable[Json], symbol: str) -> Decimal:
    """Return the position in a contract, in the units of its orders; below 0 if it is short.

    Examples
    --------
    >>> position_of([{"symbol": "A/B:B", "contracts": "2.50", "side": "short"}], "A/B:B")
    Decimal('-2.50')

    """
    held = Decimal(0)
    for position in positions:
        if position.get("symbol") == symbol:
            size = abs(number(position.get("contracts") or "0"))
            held += -size if position.get("side") == "short" else size
    return held


def number(text: object) -> Decimal:
    """Return an exact number.

    Raises
    ------
    UnclearError
        When it is none.

    """
    try:
        value = Decimal(str(text))
    except ArithmeticError:
        raise UnclearError(f"{text!r} is no number") from None
    if not value.is_finite():
        raise UnclearError(f"{text!r} is no number")
    return value


def _first(structure: Json, names: Iterable[str]) -> str:
    info = structure.get("info")
    if not isinstance(info, dict):
        return ""
    return next((str(info[name]) for name in names if info.get(name)), "")
