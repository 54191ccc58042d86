"""How Binance writes what happens to orders, on private streams."""

from __future__ import annotations

from tests.standin.binance_words import STATUS, kind_of, lasts, side, text
from tests.standin.capture import Json
from tests.standin.orders import Deal, Happened, Order

_EXECUTION: dict[Happened, str] = {
    "new": "NEW",
    "triggered": "NEW",
    "trade": "TRADE",
    "cancelled": "CANCELED",
    "expired": "EXPIRED",
}


def spot_report(order: Order, what: Happened, deal: Deal | None, now: int) -> Json:
    """Write what happened to an order of a spot market, as the stream does."""
    wanted = order.wanted
    return _report(order, what, deal) | {
        "e": "executionReport",
        "E": now,
        "f": "GTC" if wanted.rests else "IOC",
        "P": text(wanted.stop_price),
        "F": "0.00000000",
        "g": -1,
        "C": wanted.client_id if what == "cancelled" else "",
        "c": f"cancel{order.id}" if what == "cancelled" else wanted.client_id,
        "r": "NONE",
        "w": order.open,
        "M": False,
        "O": order.created,
        "Z": text(order.worth),
        "Y": text(deal.price * deal.amount if deal else None),
        "Q": "0.00000000",
    }


def usdm_report(order: Order, what: Happened, deal: Deal | None, now: int) -> Json:
    """Write what happened to an order of a perpetual, as the stream does."""
    report = _report(order, what, deal) | {
        "o": "MARKET" if order.triggered else kind_of(order.wanted),
        "ot": kind_of(order.wanted),
        "f": lasts(order.wanted),
        "c": order.wanted.client_id,
        "ap": text(order.average),
        "sp": text(order.wanted.stop_price),
        "R": order.wanted.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ps": "BOTH",
        "cp": False,
    }
    return {"e": "ORDER_TRADE_UPDATE", "E": now, "T": order.updated, "o": report}


def algo_report(order: Order, status: str, now: int) -> Json:
    """Write what happened to a conditional order, as the stream does."""
    told = {
        "caid": order.wanted.client_id,
        "aid": order.trigger_id,
        "at": "CONDITIONAL",
        "o": "STOP_MARKET",
        "s": order.wanted.market.partition(":")[2],
        "S": side(order.wanted.sign),
        "ps": "BOTH",
        "f": "GTC",
        "q": text(order.wanted.amount),
        "X": status,
        "ai": str(order.id) if order.triggered else "",
        "ap": text(order.average),
        "aq": text(order.filled),
        "act": "MARKET" if order.triggered else "0",
        "tp": text(order.wanted.stop_price),
        "p": "0",
        "wt": "CONTRACT_PRICE",
        "cp": False,
        "pP": False,
        "R": order.wanted.reduce_only,
        "tt": order.updated if order.triggered else 0,
        "gtd": 0,
    }
    return {"e": "ALGO_UPDATE", "T": order.updated, "E": now, "o": told}


def _report(order: Order, what: Happened, deal: Deal | None) -> Json:
    wanted = order.wanted
    return {
        "s": wanted.market.partition(":")[2],
        "S": side(wanted.sign),
        "o": kind_of(wanted),
        "q": text(wanted.amount),
        "p": text(wanted.price),
        "x": _EXECUTION[what],
        "X": STATUS[order.status],
        "i": order.id,
        "l": text(deal.amount if deal else None),
        "z": text(order.filled),
        "L": text(deal.price if deal else None),
        "n": text(deal.fee if deal else None),
        "N": deal.fee_currency if deal else None,
        "T": order.updated,
        "t": deal.id if deal else -1,
        "m": bool(deal and deal.maker),
    }
