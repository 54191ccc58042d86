"""Whose an order is: what an exchange says of it, under the client id that we gave."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.account.orders import Deal, DoubtfulError, Known
from connectors.account.words import UnclearError, deal, known
from connectors.venue.venue import Json


class Names:
    """Remembers client ids by the exchange's own, as far as they were seen.

    An exchange calls the order that a stop has become by another client id, or by none.

    Examples
    --------
    >>> names = Names()
    >>> names.note("okx:A/B", "7", "a1")
    >>> names.known({"id": "7", "status": "open"}, "okx:A/B").id
    'a1'

    """

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], str] = {}

    def note(self, market: str, exchange_id: str, id_: str) -> None:
        """Remember how we call an order."""
        self._ids[market, exchange_id] = id_

    def known(self, order: Json, market: str) -> Known:
        """Return what is said of an order.

        Raises
        ------
        DoubtfulError
            When it cannot be understood.

        """
        try:
            told = known(order, market)
        except UnclearError as error:
            raise DoubtfulError(str(error)) from None
        id_ = self._ids.get((market, told.exchange_id), told.id)
        if id_ and told.exchange_id:
            self.note(market, told.exchange_id, id_)
        return told._replace(id=id_)

    def deals(self, page: Iterable[Json], market: str) -> list[Deal]:
        """Return fills.

        Raises
        ------
        DoubtfulError
            When one of them cannot be understood.

        """
        try:
            return [
                deal(told, market, self._ids.get((market, str(told.get("order"))), ""))
                for told in page
            ]
        except (UnclearError, KeyError) as error:
            raise DoubtfulError(f"{market}: a fill cannot be understood: {error}") from None
