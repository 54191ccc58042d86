"""How OKX writes orders, fills and refusals, in answers and on private streams."""

from __future__ import annotations

from decimal import Decimal

from tests.standin.capture import Json
from tests.standin.orders import Deal, Order, Status, Wanted, Why

_STATE: dict[Status, str] = {
    "new": "live",
    "partly": "partially_filled",
    "filled": "filled",
    "cancelled": "canceled",
    "expired": "canceled",
}
_REFUSALS: dict[Why, tuple[str, str]] = {
    "lot": ("51121", "Order count should be the integer multiples of the lot size"),
    "tick": ("51000", "Parameter px error"),
    "notional": ("51020", "Order amount should be greater than the min available amount"),
    "balance": ("51008", "Order failed. Insufficient account balance"),
    "duplicate": ("51016", "Client order ID already exists"),
    "triggers": ("51280", "SL trigger price must be less than the last price"),
    "mode": ("51010", "The current account mode does not support this API interface."),
    "forbidden": ("50120", "This API key doesn't have permission to use this function"),
    "told to": ("51155", "You can't trade this pair due to local laws and regulations"),
}


def refusal(why: Why, cancels: bool) -> tuple[str, str]:
    """Return the code and the text of a refusal."""
    if why == "unknown" and cancels:
        return "51400", "Order cancellation failed as the order does not exist."
    return ("51603", "Order does not exist") if why == "unknown" else _REFUSALS[why]


def order_told(order: Order, instrument: str) -> Json:
    """Write an order, as answers do."""
    wanted, fees = order.wanted, sum((deal.fee for deal in order.deals), Decimal(0))
    stopped = wanted.kind == "stop"
    return {
        "instType": "SPOT",
        "instId": instrument,
        "ordId": str(order.id),
        "clOrdId": "" if stopped else wanted.client_id,
        "algoId": str(order.trigger_id) if stopped else "",
        "algoClOrdId": wanted.client_id if stopped else "",
        "px": text(wanted.price),
        "sz": text(wanted.amount),
        "ordType": _kind(wanted),
        "side": _side(wanted),
        "posSide": "net",
        "tdMode": "cash",
        "tgtCcy": "base_ccy",
        "state": _STATE[order.status],
        "accFillSz": text(order.filled) or "0",
        "avgPx": text(order.average if order.filled else None),
        "fee": text(-fees),
        "feeCcy": order.deals[-1].fee_currency if order.deals else "",
        "reduceOnly": "false",
        "cTime": str(order.created),
        "uTime": str(order.updated),
    }


def algo_told(order: Order, instrument: str) -> Json:
    """Write a conditional order."""
    wanted = order.wanted
    state = "effective" if order.triggered else _STATE[order.status]
    return {
        "instType": "SPOT",
        "instId": instrument,
        "algoId": str(order.trigger_id),
        "algoClOrdId": wanted.client_id,
        "clOrdId": "",
        "ordId": str(order.id) if order.triggered else "",
        "ordType": "conditional",
        "side": _side(wanted),
        "sz": text(wanted.amount),
        "slTriggerPx": text(wanted.stop_price),
        "slOrdPx": "-1",
        "slTriggerPxType": "last",
        "tdMode": "cash",
        "state": state,
        "actualSz": text(order.filled),
        "actualPx": text(order.average if order.filled else None),
        "triggerTime": str(order.updated) if order.triggered else "",
        "cTime": str(order.created),
        "uTime": str(order.updated),
    }


def report(order: Order, deal: Deal | None, instrument: str) -> Json:
    """Write what happened to an order, as the stream does."""
    told = {
        "fillPx": text(deal.price if deal else None),
        "fillSz": text(deal.amount) if deal else "0",
        "fillTime": str(deal.time) if deal else "",
        "fillFee": text(-deal.fee) if deal else "0",
        "fillFeeCcy": deal.fee_currency if deal else "",
        "tradeId": str(deal.id) if deal else "",
        "execType": _role(deal),
        "code": "0",
        "msg": "",
    }
    return order_told(order, instrument) | told


def fill(order: Order, deal: Deal, instrument: str) -> Json:
    """Write a fill, as lists of fills do."""
    return {
        "instType": "SPOT",
        "instId": instrument,
        "tradeId": str(deal.id),
        "ordId": str(order.id),
        "clOrdId": "" if order.wanted.kind == "stop" else order.wanted.client_id,
        "billId": str(deal.id),
        "fillPx": text(deal.price),
        "fillSz": text(deal.amount),
        "side": _side(order.wanted),
        "posSide": "net",
        "execType": _role(deal),
        "feeCcy": deal.fee_currency,
        "fee": text(-deal.fee),
        "ts": str(deal.time),
        "fillTime": str(deal.time),
    }


def text(number: Decimal | None) -> str:
    """Write a number, without an exponent; nothing where there is none."""
    return "" if number is None else f"{number:f}"


def _kind(wanted: Wanted) -> str:
    if wanted.kind != "limit":
        return "market"
    if wanted.post_only:
        return "post_only"
    return "limit" if wanted.rests else "ioc"


def _side(wanted: Wanted) -> str:
    return "buy" if wanted.sign > 0 else "sell"


def _role(deal: Deal | None) -> str:
    return "" if deal is None else "M" if deal.maker else "T"
