"""How Binance writes orders, fills and refusals, in answers."""

from __future__ import annotations

from decimal import Decimal

from tests.standin.capture import Json
from tests.standin.orders import Deal, Order, Status, Wanted, Why

STATUS: dict[Status, str] = {
    "new": "NEW",
    "partly": "PARTIALLY_FILLED",
    "filled": "FILLED",
    "cancelled": "CANCELED",
    "expired": "EXPIRED",
}
_SPOT: dict[Why, tuple[int, str]] = {
    "lot": (-1013, "Filter failure: LOT_SIZE"),
    "tick": (-1013, "Filter failure: PRICE_FILTER"),
    "notional": (-1013, "Filter failure: NOTIONAL"),
    "balance": (-2010, "Account has insufficient balance for requested action."),
    "duplicate": (-2010, "Duplicate order sent."),
    "triggers": (-2010, "Stop price would trigger immediately."),
    "matches": (-2010, "Order would immediately match and take."),
    "forbidden": (-2015, "Invalid API-key, IP, or permissions for action."),
    "told to": (-2010, "This action is disabled on this account."),
}
_USDM: dict[Why, tuple[int, str]] = {
    "lot": (-1111, "Precision is over the maximum defined for this asset."),
    "tick": (-4014, "Price not increased by tick size."),
    "notional": (-4164, "Order's notional must be no smaller than 100."),
    "margin": (-2019, "Margin is insufficient."),
    "duplicate": (-4116, "ClientOrderId is duplicated."),
    "triggers": (-2021, "Order would immediately trigger."),
    "matches": (-5022, "The order could not be executed as maker; Post Only is rejected."),
    "reduce only": (-2022, "ReduceOnly Order is rejected."),
    "forbidden": (-2015, "Invalid API-key, IP, or permissions for action."),
    "told to": (-2010, "NEW_ORDER_REJECTED"),
}  # fmt: skip


def refusal(kind: str, why: Why) -> tuple[int, str]:
    """Return the code and the text of a refusal."""
    return (_SPOT if kind == "spot" else _USDM)[why]


def text(number: Decimal | None) -> str:
    """Write a number, without an exponent."""
    return f"{number or Decimal(0):f}"


def kind_of(wanted: Wanted) -> str:
    """Return Binance's name of an order's type."""
    if wanted.kind == "stop":
        return "STOP_LOSS" if wanted.market.startswith("spot") else "STOP_MARKET"
    if wanted.post_only and wanted.market.startswith("spot"):
        return "LIMIT_MAKER"
    return wanted.kind.upper()


def spot_order(order: Order) -> Json:
    """Write an order of a spot market, as answers do."""
    return _common(order) | {
        "orderListId": -1,
        "cummulativeQuoteQty": text(order.worth),
        "icebergQty": "0.00000000",
        "time": order.created,
        "transactTime": order.updated,
        "isWorking": not order.waits,
        "origQuoteOrderQty": "0.00000000",
    }


def spot_fills(order: Order) -> list[Json]:
    """Write what an order got at once, as the answer to it does."""
    return [
        {
            "price": text(deal.price),
            "qty": text(deal.amount),
            "commission": text(deal.fee),
            "commissionAsset": deal.fee_currency,
            "tradeId": deal.id,
        }
        for deal in order.deals
    ]


def usdm_order(order: Order) -> Json:
    """Write an order of a perpetual, as answers do."""
    kind = "MARKET" if order.triggered else kind_of(order.wanted)
    return _common(order) | {
        "type": kind,
        "origType": kind,
        "avgPrice": text(order.average),
        "cumQuote": text(order.worth),
        "reduceOnly": order.wanted.reduce_only,
        "closePosition": False,
        "positionSide": "BOTH",
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "time": order.created,
    }


def algo_status(order: Order) -> str:
    """Return what has become of a conditional order."""
    if not order.triggered:
        return STATUS[order.status]
    if order.stuck:
        return "TRIGGERING"
    if order.open:
        return "TRIGGERED"
    return "FINISHED" if order.filled else "REJECTED"


def algo_order(order: Order) -> Json:
    """Write a conditional order of a perpetual."""
    return {
        "algoId": order.trigger_id,
        "clientAlgoId": order.wanted.client_id,
        "algoType": "CONDITIONAL",
        "orderType": "STOP_MARKET",
        "symbol": order.wanted.market.partition(":")[2],
        "side": side(order.wanted.sign),
        "positionSide": "BOTH",
        "timeInForce": "GTC",
        "quantity": text(order.wanted.amount),
        "algoStatus": algo_status(order),
        "actualOrderId": str(order.id) if order.triggered and not order.stuck else "",
        "actualPrice": text(order.average),
        "triggerPrice": text(order.wanted.stop_price),
        "price": "0.00",
        "workingType": "CONTRACT_PRICE",
        "closePosition": False,
        "priceProtect": False,
        "reduceOnly": order.wanted.reduce_only,
        "createTime": order.created,
        "updateTime": order.updated,
        "triggerTime": order.updated if order.triggered else 0,
        "goodTillDate": 0,
    }


def trade(order: Order, deal: Deal) -> Json:
    """Write a fill, as lists of one's trades do."""
    buys = order.wanted.sign > 0
    told: Json = {
        "symbol": order.wanted.market.partition(":")[2],
        "id": deal.id,
        "orderId": order.id,
        "price": text(deal.price),
        "qty": text(deal.amount),
        "quoteQty": text(deal.price * deal.amount),
        "commission": text(deal.fee),
        "commissionAsset": deal.fee_currency,
        "time": deal.time,
    }
    if order.wanted.market.startswith("spot"):
        return told | {"isBuyer": buys, "isMaker": deal.maker, "isBestMatch": True}
    told |= {"buyer": buys, "maker": deal.maker, "side": side(order.wanted.sign)}
    return told | {"positionSide": "BOTH"}


def side(sign: int) -> str:
    """Return the name of a side."""
    return "BUY" if sign > 0 else "SELL"


def lasts(wanted: Wanted) -> str:
    """Return Binance's name of how long an order lasts."""
    if wanted.post_only:
        return "GTX"
    return "GTC" if wanted.rests else "IOC"


def _common(order: Order) -> Json:
    wanted = order.wanted
    return {
        "symbol": wanted.market.partition(":")[2],
        "orderId": order.id,
        "clientOrderId": wanted.client_id,
        "price": text(wanted.price),
        "origQty": text(wanted.amount),
        "executedQty": text(order.filled),
        "status": STATUS[order.status],
        "timeInForce": lasts(wanted) if wanted.market.startswith("usdm") else "GTC",
        "type": kind_of(wanted),
        "side": side(wanted.sign),
        "stopPrice": text(wanted.stop_price),
        "updateTime": order.updated,
        "selfTradePreventionMode": "NONE",
    }
