"""Each error of ccxt is judged once; what nobody knows is doubtful."""

from __future__ import annotations

import ccxt
import pytest
from ccxt.base.errors import error_hierarchy

from connectors.account.orders import BusyError, DoubtfulError, OrderError, RefusedError
from connectors.scrub import keep_secret
from connectors.venue.errors import BANNED, judged

TABLE = {
    RefusedError: """
        AuthenticationError PermissionDenied AccountNotEnabled AccountSuspended ArgumentsRequired
        BadRequest BadSymbol OperationRejected NoChange MarginModeAlreadySet MarketClosed
        ManualInteractionNeeded RestrictedLocation InsufficientFunds InvalidAddress AddressPending
        InvalidOrder OrderImmediatelyFillable OrderNotFillable ContractUnavailable NotSupported
        InvalidProxySettings
    """,
    BusyError: "DDoSProtection RateLimitExceeded InvalidNonce ChecksumError",
    DoubtfulError: """
        BaseError ExchangeError OrderNotFound OrderNotCached DuplicateOrderId ExchangeClosedByUser
        OperationFailed NetworkError ExchangeNotAvailable OnMaintenance RequestTimeout BadResponse
        NullResponse CancelPending UnsubscribeError
    """,
}
EXPECTED = {name: kind for kind, names in TABLE.items() for name in names.split()}


def names(tree: dict[str, object]) -> list[str]:
    """Return all names of a tree of errors."""
    found = []
    for name, below in tree.items():
        assert isinstance(below, dict)
        found += [name, *names(below)]
    return found


@pytest.mark.parametrize("name", names(error_hierarchy))
def test_each_error_of_ccxt_is_judged(name: str) -> None:
    assert type(judged(getattr(ccxt, name)("binance says so"))) is EXPECTED[name]


@pytest.mark.parametrize(
    "error", [TimeoutError(), KeyError("data"), ValueError("no JSON"), OSError(104, "reset")]
)
def test_an_error_that_is_none_of_ccxt_is_doubtful(error: Exception) -> None:
    assert type(judged(error)) is DoubtfulError


@pytest.mark.parametrize(
    ("status", "kind"), [(0, DoubtfulError), (400, RefusedError), (500, DoubtfulError)]
)
def test_an_error_that_ccxt_has_no_name_for_is_judged_by_the_status(
    status: int, kind: type[OrderError]
) -> None:
    assert type(judged(ccxt.ExchangeError('{"code":-9999}'), status)) is kind


def test_an_order_that_came_twice_is_doubtful_whatever_ccxt_calls_that() -> None:
    error = ccxt.InvalidOrder('binance {"code":-2010,"msg":"Duplicate order sent."}')
    assert type(judged(error, 400)) is DoubtfulError


def test_a_time_out_is_doubtful_whatever_the_status() -> None:
    assert type(judged(ccxt.RequestTimeout("408"), 408)) is DoubtfulError


def test_one_waits_as_long_as_the_exchange_says_and_longer_when_banned() -> None:
    error = ccxt.DDoSProtection("binance")
    waits = [judged(error, 429, 3.0), judged(error, 429), judged(error, BANNED)]
    assert [wait.seconds for wait in waits if isinstance(wait, BusyError)] == [3.0, 1.0, 60.0]


def test_what_is_told_holds_no_secret() -> None:
    keep_secret("MARKER42")
    error = ccxt.NetworkError("POST https://host/order?timestamp=1&signature=abc MARKER42")
    assert "MARKER42" not in str(judged(error))
    assert "abc" not in str(judged(error))
