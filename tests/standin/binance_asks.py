"""How Binance reads an order."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from tests.standin.binance_rest import Refusal
from tests.standin.orders import Kind, Wanted

Told: TypeAlias = Mapping[str, str]
"""The parameters of a request."""
_TYPES: dict[str, dict[str, Kind]] = {
    "spot": {"MARKET": "market", "LIMIT": "limit", "LIMIT_MAKER": "limit", "STOP_LOSS": "stop"},
    "usdm": {"MARKET": "market", "LIMIT": "limit", "STOP_MARKET": "stop"},
}


def market_of(kind: str, told: Told) -> str:
    """Return the market that is asked about."""
    if "symbol" not in told:
        raise _missing("symbol")
    return f"{kind}:{told['symbol']}"


def wanted(kind: str, told: Told) -> Wanted:
    """Read an order."""
    type_ = told.get("type", "")
    if type_ not in _TYPES[kind]:
        raise Refusal(400, -1116, "Invalid orderType.")
    if told.get("side") not in {"BUY", "SELL"}:
        raise Refusal(400, -1117, "Invalid side.")
    stops = _TYPES[kind][type_] == "stop"
    lasts = told.get("timeInForce", "GTC")
    return Wanted(
        market_of(kind, told),
        1 if told["side"] == "BUY" else -1,
        _TYPES[kind][type_],
        _decimal(told, "quantity"),
        told.get("clientAlgoId" if stops and kind == "usdm" else "newClientOrderId", ""),
        _decimal(told, "price") if type_ in {"LIMIT", "LIMIT_MAKER"} else None,
        _decimal(told, "triggerPrice" if kind == "usdm" else "stopPrice") if stops else None,
        rests=lasts != "IOC",
        post_only=type_ == "LIMIT_MAKER" or lasts == "GTX",
        reduce_only=told.get("reduceOnly", "").lower() == "true",
    )


def _decimal(told: Told, name: str) -> Decimal:
    if name not in told:
        raise _missing(name)
    try:
        return Decimal(told[name])
    except InvalidOperation:
        text = f"Illegal characters found in parameter '{name}'."
        raise Refusal(400, -1100, text) from None


def _missing(name: str) -> Refusal:
    return Refusal(
        400, -1102, f"Mandatory parameter '{name}' was not sent, was empty or malformed."
    )
