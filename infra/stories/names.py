"""How a position, or a signal, is named: `RUN:MARKET:N`, as `deck history show positions` does."""

from __future__ import annotations

from typing import NamedTuple

from schemas.mendable import Mendable

_SHOWN = 8
"""Characters of a run's id in a name."""


class StoryError(Mendable, ValueError):
    """A story that cannot be told; the text says what can."""


class Name(NamedTuple):
    """What a name says.

    Parameters
    ----------
    run
        The beginning of a run's id, or what else names a run.
    market
        The market.
    number
        The count of the market's position, or the place of a signal on the run's tape.

    """

    run: str
    market: str
    number: int

    def __str__(self) -> str:
        return f"{self.run[:_SHOWN]}:{self.market}:{self.number}"

    @classmethod
    def read(cls, text: str) -> Name:
        """Read a name.

        Raises
        ------
        StoryError
            When it is none.

        Examples
        --------
        >>> Name.read("3c443f7d:binance:BTC/USDT:USDT:17")
        Name(run='3c443f7d', market='binance:BTC/USDT:USDT', number=17)
        >>> str(Name("3c443f7d0ecd4f36", "sim:BTC/USDT", 6))
        '3c443f7d:sim:BTC/USDT:6'

        """
        run, _, rest = text.partition(":")
        market, _, number = rest.rpartition(":")
        if not (run and market and number.isascii() and number.isdigit()):
            raise StoryError(
                f"{text!r}: a position is named RUN:MARKET:N, such as 3c443f7d:sim:BTC/USDT:6; "
                f"deck explain lists the latest"
            )
        return cls(run, market, int(number[:18]))
