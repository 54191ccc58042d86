"""Where exchanges differ in ways that ccxt does not level."""

from __future__ import annotations

from typing import Literal, NamedTuple

from connectors.venue.venue import Json

_STOP: Json = {"trigger": True}


class Dialect(NamedTuple):
    """How an exchange is spoken to, and what it means.

    Parameters
    ----------
    apart
        Where stops are orders of another kind, in lists of their own.
    order_id
        How to ask for the fills of one order, and where a fill says whose it is.
    stops
        How to ask for stops where they are apart.
    stop_id
        How it calls the client id of a stop, where ccxt does not know.
    mode
        How a stop for a coin says that nothing is borrowed, where ccxt does not say so.
    signed_fees
        Whether ccxt hands over the fee of a pushed fill as money that came, not as money paid.

    """

    apart: Literal["", "contracts", "all markets"] = ""
    order_id: str = "orderId"
    stops: Json = _STOP
    stop_id: str = ""
    mode: str = ""
    signed_fees: bool = False

    def are_apart(self, contract: bool) -> bool:
        """Tell whether the stops of a market are apart.

        Examples
        --------
        >>> [dialect("binance").are_apart(contract) for contract in (False, True)]
        [False, True]

        """
        return self.apart == "all markets" or (self.apart == "contracts" and contract)

    def named(self, id_: str, contract: bool) -> Json:
        """Return what a stop says besides.

        Examples
        --------
        >>> dialect("okx").named("a1", contract=False)
        {'algoClOrdId': 'a1', 'tdMode': 'cash'}
        >>> dialect("binance").named("a1", contract=False)
        {}

        """
        told: Json = {self.stop_id: id_} if self.stop_id else {}
        return told | {"tdMode": self.mode} if self.mode and not contract else told

    def pushed(self, trade: Json) -> Json:
        """Return a fill of the private stream as it would be in a list.

        Examples
        --------
        >>> dialect("okx").pushed({"fee": {"cost": "-0.001", "currency": "BTC"}})["fee"]
        {'cost': '0.001', 'currency': 'BTC'}

        """
        # ccxt takes the fill of a stop for one of the stop, not of the order that it became.
        if own := (trade.get("info") or {}).get(self.order_id):
            trade = trade | {"order": own}
        fee = trade.get("fee") or {}
        if not self.signed_fees or not fee.get("cost"):
            return trade
        cost = str(fee["cost"])
        turned = cost[1:] if cost.startswith("-") else f"-{cost}"
        return trade | {"fee": fee | {"cost": turned}}


_DIALECTS = {
    "binance": Dialect("contracts"),
    "okx": Dialect(
        "all markets",
        "ordId",
        stops=_STOP | {"ordType": "conditional"},
        stop_id="algoClOrdId",
        mode="cash",
        signed_fees=True,
    ),
}


def dialect(exchange: str) -> Dialect:
    """Return how an exchange is spoken to; as most are, if it is not known."""
    return _DIALECTS.get(exchange, Dialect())
