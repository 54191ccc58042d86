"""What an error of ccxt tells of an order: refused, not taken for now, or perhaps taken."""

from __future__ import annotations

import ccxt

from connectors.account.orders import BusyError, DoubtfulError, OrderError, RefusedError
from connectors.venue.venue import reason

LATER = 1.0
"""So many seconds to wait when the exchange does not say how long."""
BANNED = 418
"""What an exchange answers to who went on when told to wait; it does not listen for a while."""
_BAN = 60.0
_WRONG = 4
"""An answer of the 400s blames the request."""

_BUSY = ccxt.DDoSProtection, ccxt.RateLimitExceeded, ccxt.InvalidNonce
_TWICE = "duplicate"
"""Said by exchanges of an order that they have, in errors that ccxt gives another name."""
_DOUBTFUL = (
    ccxt.DuplicateOrderId,  # it has it already, from a try whose answer was lost
    ccxt.OrderNotFound,  # told of an order just sent, it says nothing
    ccxt.OrderNotCached,
    ccxt.ExchangeClosedByUser,
)
_REFUSED = (
    ccxt.AuthenticationError,
    ccxt.ArgumentsRequired,
    ccxt.BadRequest,
    ccxt.OperationRejected,
    ccxt.InsufficientFunds,
    ccxt.InvalidAddress,
    ccxt.InvalidOrder,
    ccxt.NotSupported,
    ccxt.InvalidProxySettings,
)


def judged(error: BaseException, status: int = 0, wait: float | None = None) -> OrderError:
    """Return what an error tells of an order; what nobody knows is doubtful.

    Parameters
    ----------
    error
        As ccxt raised it.
    status
        The HTTP status of the answer; 0 if none came.
    wait
        How many seconds the exchange wants to be left alone, if it says so.

    Examples
    --------
    >>> judged(ccxt.InsufficientFunds("binance balance is too low"))
    RefusedError('InsufficientFunds: binance balance is too low')
    >>> judged(ccxt.RequestTimeout("binance POST order"))
    DoubtfulError('RequestTimeout: binance POST order')
    >>> judged(ccxt.DDoSProtection("binance 429"), status=429, wait=7.0).seconds
    7.0

    """
    why = reason(error)
    if isinstance(error, _BUSY):
        return BusyError(why, wait or (_BAN if status == BANNED else LATER))
    doubtful = isinstance(error, _DOUBTFUL) or _TWICE in why.lower()
    if isinstance(error, _REFUSED) and not doubtful:
        return RefusedError(why)
    # An answer that ccxt has no name for: of a request that was wrong, if the exchange says so.
    if type(error) is ccxt.ExchangeError and status // 100 == _WRONG:
        return RefusedError(why)
    return DoubtfulError(why)
