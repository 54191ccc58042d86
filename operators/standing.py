"""How one market's trading stands: all that `Trade` keeps."""

from __future__ import annotations

from dataclasses import dataclass, field

from operators.funding import Funding
from operators.life import Life
from operators.limits import Sight
from operators.live_life import LiveLife
from operators.paper import Taken, View
from operators.resting import LimitEntry
from schemas import Book, Numbers, Signal


@dataclass(slots=True)
class Standing:
    """One market's position, what is known of the market, and what is counted. It pickles."""

    life: Life | LiveLife | None = None
    """The position: on paper, or at an exchange."""
    resting: LimitEntry | None = None
    """The position's entry on paper, while it has a limit and works."""
    then: Signal | None = None
    """The signal to obey once flat: the second half of a reverse."""
    view: View = field(default_factory=View)
    taken: Taken = field(default_factory=Taken)
    values: Numbers = field(default_factory=dict)
    mode: str = "active"
    """`active`, `reducing` (exits only) or `halted`."""
    orders: int = 0
    positions: int = 0
    sight: Sight = field(default_factory=Sight)
    funding: Funding = field(default_factory=Funding)
    heard: dict[str, int] = field(default_factory=dict)
    """The number of the last report of each account."""

    def see(self, book: Book) -> None:
        """Take a new book for the present one: nothing is gone from it yet."""
        self.view.book = book
        self.taken.sides.clear()
