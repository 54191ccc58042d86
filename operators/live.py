"""What makes a run trade at an exchange, and not on paper. Chosen when a flow is run, not in it."""

from __future__ import annotations

from dataclasses import dataclass

from schemas import Time


@dataclass(frozen=True, slots=True)
class Live:
    """Orders go out, and what became of them comes back as reports through the log.

    Parameters
    ----------
    since
        The tape time from which on positions are entered. What the log held before only warms
        the flow up.

    """

    since: Time

    def __post_init__(self) -> None:
        if self.since < 0:
            msg = f"since must be a time of 0 or more, in nanoseconds UTC, not {self.since}"
            raise ValueError(msg)
