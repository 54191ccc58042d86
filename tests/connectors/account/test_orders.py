"""What an exchange may do to an order, each told apart by its kind."""

from __future__ import annotations

import pytest

from connectors.account.orders import BusyError, DoubtfulError, OrderError, RefusedError


def test_whoever_places_an_order_has_one_thing_to_catch() -> None:
    for error in (RefusedError("no"), BusyError("later", 1.5), DoubtfulError("silence")):
        with pytest.raises(OrderError):
            raise error


def test_a_busy_exchange_says_when_to_try_again() -> None:
    error = BusyError("too many requests", 2.5)
    assert (str(error), error.seconds) == ("too many requests", 2.5)
