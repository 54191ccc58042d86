"""An account's limits: how much may be held, asked for and lost before no entry goes any more."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from connectors.exact import NOTHING, add, less
from schemas import DAY, Time


@dataclass(slots=True)
class Result:
    """What an account has made in a quote currency, after fees in it.

    Examples
    --------
    >>> result = Result("USDT")
    >>> for made in (100, -30, -20):
    ...     result.add(Decimal(made), now=5)
    >>> result.today, result.drawdown
    (Decimal('50'), Decimal('50'))

    """

    quote: str
    day: int = 0
    """Since 1970, UTC."""
    today: Decimal = NOTHING
    total: Decimal = NOTHING
    peak: Decimal = NOTHING
    """The most that `total` was."""

    @property
    def drawdown(self) -> Decimal:
        """How far it is below its peak."""
        return less(self.peak, self.total)

    def turn(self, now: Time) -> None:
        """Begin another day, if it is one."""
        if now // DAY != self.day:
            self.day, self.today = now // DAY, NOTHING

    def add(self, made: Decimal, now: Time) -> None:
        """Note what was made, below 0 if it was lost."""
        self.turn(now)
        self.today, self.total = add(self.today, made), add(self.total, made)
        self.peak = max(self.peak, self.total)

    def forgive(self) -> None:
        """Count from here on: a person has looked at it."""
        self.today, self.peak = NOTHING, self.total


class AccountLimits(NamedTuple):
    """What an account may do; `None` is without limit.

    Money counts in the quote currency, each currency by itself.
    """

    max_positions: int | None = None
    orders_a_minute: int | None = None
    daily_loss: Decimal | None = None
    """Realised from 0:00 UTC on."""
    drawdown: Decimal | None = None
    """Realised, from the peak on."""
    exposure: Decimal | None = None
    """The worth of all that is held and asked for."""

    def lost(self, result: Result) -> str | None:
        """Return why entries must end, if too much was lost.

        Examples
        --------
        >>> AccountLimits(daily_loss=Decimal(50)).lost(Result("USDT", today=Decimal(-60)))
        'lost 60 USDT today, and 50 is the limit'

        """
        if self.daily_loss is not None and -result.today >= self.daily_loss:
            return (
                f"lost {-result.today:f} {result.quote} today, and {self.daily_loss:f} is the limit"
            )
        if self.drawdown is not None and result.drawdown >= self.drawdown:
            fall = f"{result.drawdown:f} {result.quote}"
            return f"{fall} below the account's peak, and {self.drawdown:f} is the limit"
        return None

    def refusal(
        self, positions: int, orders: int, exposure: Decimal, worth: Decimal | None, quote: str
    ) -> str | None:
        """Return why another entry may not go, if it may not.

        Parameters
        ----------
        positions, orders
            How many are open, and were sent within a minute, without it.
        exposure, worth
            What all others are worth, and what it is; `None` if nobody can tell.
        quote
            The currency that both count in.

        Examples
        --------
        >>> limits = AccountLimits(exposure=Decimal(1000))
        >>> limits.refusal(1, 1, Decimal(900), Decimal(200), "USDT")
        'it would be 1100 USDT in all, and 1000 is the limit'

        """
        if self.max_positions is not None and positions >= self.max_positions:
            open_ = "1 position is open" if positions == 1 else f"{positions} positions are open"
            return f"{open_}, and {self.max_positions} is the limit"
        if self.orders_a_minute is not None and orders >= self.orders_a_minute:
            return f"{orders} orders within a minute, and {self.orders_a_minute} is the limit"
        if self.exposure is None:
            return None
        if worth is None:
            return "what it is worth cannot be told, and exposure has a limit"
        whole = add(exposure, worth)
        if whole > self.exposure:
            return f"it would be {whole:f} {quote} in all, and {self.exposure:f} is the limit"
        return None
