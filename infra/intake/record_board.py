"""What `deck record` shows: each market's trades and books as they come, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich import box
from rich.table import Table

from connectors.feed.feed import Counts
from infra.intake.watching import mishaps
from schemas import SECOND, Book, Gap, Outside, Reject, Time, Trades

_NUMBERS = ("trades", "books", "other", "last price", "age")


@dataclass(slots=True)
class _Line:
    """What was recorded of a market."""

    trades: int = 0
    books: int = 0
    others: int = 0
    gaps: int = 0
    rejects: int = 0
    price: float | None = None
    ts: Time | None = None


class Board:
    """Counts what is recorded, market by market."""

    def __init__(self, markets: Iterable[str] = ()) -> None:
        self._lines = {market: _Line() for market in markets}

    @property
    def rows(self) -> int:
        """All trades and other events."""
        return sum(line.trades + line.books + line.others for line in self._lines.values())

    def take(self, events: Iterable[Outside]) -> None:
        """Count what was recorded."""
        for event in events:
            line = self._lines.setdefault(event.market, _Line())
            if isinstance(event, Trades):
                line.trades += len(event)
                line.price, line.ts = event.price.item(-1), event.stamp.item(-1)
                continue
            line.books += isinstance(event, Book)
            line.others += not isinstance(event, Book)
            line.gaps += isinstance(event, Gap)
            line.rejects += isinstance(event, Reject)

    def table(self, now: Time, counts: Mapping[str, Counts]) -> Table:
        """Return it as a table.

        Parameters
        ----------
        now
            Our clock: the age of a market's last trade is counted from its stamp.
        counts
            What the exchange source knows of markets that are taken in.

        """
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("market", no_wrap=True)
        for name in _NUMBERS:
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("mishaps")
        for market, line in sorted(self._lines.items()):
            table.add_row(
                market,
                f"{line.trades:,}",
                f"{line.books:,}",
                f"{line.others:,}",
                "" if line.price is None else f"{line.price:.12g}",
                "" if line.ts is None else age(now - line.ts),
                # Who takes nothing in knows only what stands in the log.
                mishaps(counts.get(market, Counts(gaps=line.gaps, rejects=line.rejects))),
            )
        return table


def age(time: Time) -> str:
    """Return how long ago something was.

    Examples
    --------
    >>> [age(round(seconds * SECOND)) for seconds in (-0.3, 2.25, 75, 7_200, 200_000, 9e7)]
    ['0.0 s', '2.2 s', '75 s', '120 min', '56 h', '1042 d']

    """
    seconds = max(time, 0) / SECOND
    if seconds < 10:  # noqa: PLR2004 - where a tenth matters
        return f"{seconds:.1f} s"
    if seconds < 600:  # noqa: PLR2004 - ten minutes
        return f"{seconds:.0f} s"
    if seconds < 36_000:  # noqa: PLR2004 - ten hours
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 864_000 else f"{seconds / 86_400:.0f} d"  # noqa: PLR2004 - ten days
