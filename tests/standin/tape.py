"""A capture as the tape of a flow: the very events that lock-step orders are matched by."""

from __future__ import annotations

from collections.abc import Iterator

from schemas import Book, Levels, Trades
from tests.standin.capture import Capture
from tests.standin.lockstep import Cursor, stamp_of
from tests.standin.market import Market
from tests.standin.side import Side

_NO_SHIFT = 0


def tape(capture: Capture, market: str, levels: int = 20) -> Iterator[tuple[int, Trades | Book]]:
    """Yield the number of each line that is an event, from 1 on, and the event.

    Behind `play_until(line=number)` an exchange has played that event, too, if this is its only
    market.

    Parameters
    ----------
    capture
        The market as it was recorded.
    market
        Its name on the tape, such as `binance:BTC/USDT`.
    levels
        How deep its books are.

    """
    cursor = Cursor(Market(capture))
    for number, line in enumerate(capture.lines, 1):
        event = cursor.move(line, _NO_SHIFT)
        cursor.market.play(line, _NO_SHIFT)
        cursor.played()
        if line.stream == "trade":
            trade = cursor.market.trades[-1]
            side = [-1 if trade.maker else 1]
            columns = [float(trade.price)], [float(trade.size)], side, [trade.id]
            yield number, Trades.of(market, [stamp_of(line, _NO_SHIFT)], *columns)
        elif event:
            bids, asks = (_levels(s, levels) for s in (cursor.market.bids, cursor.market.asks))
            stamp = stamp_of(line, _NO_SHIFT)
            yield number, Book(market, stamp, bids, asks, cursor.market.update)


def _levels(side: Side, limit: int) -> Levels:
    return [(float(price), float(size)) for price, size in side.best(limit)]
