"""The book that an order's price was expected from, where history has the books of its market."""

from __future__ import annotations

from connectors.history.rows import events_of
from infra.stories.tape import Tape
from schemas import SECOND, Book, Order
from schemas.tables import columns

_NEAR = 3 * SECOND
"""How far a book's stamp may be from the order's: its greatest age, and the entry's tolerance."""
_CLOSE = 1e-9
"""How far a mid price that was reckoned back may be from the book's own, as a part of it."""


def book_of(tape: Tape, order: Order) -> Book | None:
    """Return the book in front of an order: of those about its time, the last with its mid price.

    Several may stand at one time, and a stamp does not tell where on the tape a book stood; that
    the expected price and the slippage belong to it does.
    """
    mid = mid_of(order)
    if mid is None:
        return None
    names = ", ".join(f"`{name}`" for name in columns(Book))
    query = (
        f"SELECT {names} FROM books WHERE market = {{market:String}} "  # noqa: S608 - our names
        "AND ts BETWEEN fromUnixTimestamp64Nano({since:Int64}, 'UTC') "
        "AND fromUnixTimestamp64Nano({until:Int64}, 'UTC') ORDER BY ts, partition, `offset`, row"
    )
    given = {"market": tape.market, "since": order.ts - _NEAR, "until": order.ts + _NEAR}
    rows = tape.client.query_arrow(query, given, use_strings=True).combine_chunks().to_batches()
    books = (placed.event for batch in rows for placed in events_of(Book, batch, ""))
    found = [book for book in books if isinstance(book, Book) and _fits(book, mid)]
    before = [book for book in found if book.ts <= order.ts + SECOND]
    return before[-1] if before else None


def mid_of(order: Order) -> float | None:
    """Return the mid price of the book that an order's price was expected from.

    Examples
    --------
    >>> from decimal import Decimal
    >>> order = Order("x:A/B", 0, 1, 1, "enter", "buy", Decimal(1), "cross")
    >>> order.expected, order.slippage_bps = Decimal(101), 100.0
    >>> mid_of(order)
    100.0

    """
    if order.expected is None or order.slippage_bps is None:
        return None
    sign = 1 if order.side == "buy" else -1
    return float(order.expected) / (1 + sign * order.slippage_bps / 10_000)


def _fits(book: Book, mid: float) -> bool:
    if not (book.bids and book.asks):
        return False
    return abs((book.bids[0][0] + book.asks[0][0]) / 2 - mid) <= _CLOSE * mid
