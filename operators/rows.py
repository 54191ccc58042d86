"""Places in a slice of trades."""

from __future__ import annotations

from schemas import Time, Trades


def first_at(trades: Trades, time: Time, row: int = 0) -> int | None:
    """Return the first row from `row` on with a time of at least `time`, if there is one.

    Examples
    --------
    >>> trades = Trades.of("binance:BTC/USDT", ts=[1, 3, 3], price=[7, 8, 9], size=[1, 1, 1])
    >>> first_at(trades, 2), first_at(trades, 2, row=2), first_at(trades, 4)
    (1, 2, None)

    """
    if row >= len(trades) or trades.ts.item(-1) < time:
        return None
    return max(row, int(trades.ts.searchsorted(time)))
