"""What the blotter wants to be done at the exchange; those of one market in their order."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from connectors.account.orders import Place


class Send(NamedTuple):
    """Place an order; tell `acknowledged`, `refused`, `busy` or `doubtful`."""

    place: Place

    @property
    def market(self) -> str:
        """Where."""
        return self.place.market


class Cancel(NamedTuple):
    """Call an order off; tell `called_off` if that was taken, else `busy` or `doubtful`."""

    id: str
    market: str


class LookUp(NamedTuple):
    """Ask what became of an order; tell `found` or `missing`, or nothing if that fails."""

    id: str
    market: str


class FetchDeals(NamedTuple):
    """Ask for the fills of an order; tell each as `dealt`, or nothing if that fails."""

    market: str
    id: str
    exchange_id: str


class Reconcile(NamedTuple):
    """Tell the market's `Instrument` by `learn`, and all that is there by `reconciled`."""

    market: str


Action: TypeAlias = Send | Cancel | LookUp | FetchDeals | Reconcile
