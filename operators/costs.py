"""What an order costs in a run: fees, slippage, latency. Chosen when a flow is run, not in it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from schemas import SECOND, Time

_BASIS_POINT = Decimal("0.0001")
_MILLISECOND: Time = 1_000_000


@dataclass(frozen=True)
class Costs:
    """What each order of a run pays, on paper and in every shadow position.

    Parameters
    ----------
    fees_bps
        The taker's fee, in basis points of price times amount.
    maker_fee_bps
        The fee of an order that rested; `None` is the taker's, below 0 the exchange pays.
    slippage_bps
        How much worse than the next trade an order fills when there is no fresh book.
    latency_ms
        From the event that causes an order to the moment it can fill, in tape time.
    max_book_age_ms
        A book older than this is not walked, and barriers are judged on every trade.

    Raises
    ------
    ValueError
        When a number is negative or not finite.

    Examples
    --------
    >>> Costs(fees_bps=7.5).fee
    Decimal('0.00075')

    """

    fees_bps: float = 0.0
    slippage_bps: float = 0.0
    latency_ms: float = 0.0
    max_book_age_ms: float = 1000.0
    maker_fee_bps: float | None = None

    def __post_init__(self) -> None:
        for name in ("fees_bps", "slippage_bps", "latency_ms", "max_book_age_ms"):
            value = getattr(self, name)
            if not isfinite(value) or value < 0:
                msg = f"{name} must be a finite number of 0 or more, not {value}"
                raise ValueError(msg)
        if self.maker_fee_bps is not None and not isfinite(self.maker_fee_bps):
            msg = f"maker_fee_bps must be a finite number or None, not {self.maker_fee_bps}"
            raise ValueError(msg)

    @property
    def fee(self) -> Decimal:
        """The taker's fee as a part of price times amount."""
        return Decimal(repr(self.fees_bps)) * _BASIS_POINT

    @property
    def maker_fee(self) -> Decimal:
        """The maker's fee as a part of price times amount."""
        if self.maker_fee_bps is None:
            return self.fee
        return Decimal(repr(self.maker_fee_bps)) * _BASIS_POINT

    @property
    def slippage(self) -> Decimal:
        """The slippage as a part of the price."""
        return Decimal(repr(self.slippage_bps)) * _BASIS_POINT

    @property
    def latency(self) -> Time:
        """The latency in nanoseconds."""
        return round(self.latency_ms * _MILLISECOND)

    @property
    def max_book_age(self) -> Time:
        """The greatest age of a fresh book, in nanoseconds."""
        return round(self.max_book_age_ms * SECOND / 1000)
