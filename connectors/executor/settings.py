"""How an executor is set: its limits, its times, and what an account must be like."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.account.checks import Margin
from connectors.account.limits import AccountLimits
from connectors.blotter.rules import Rules


@dataclass(frozen=True)
class ExecutorSettings:
    """What may be chosen for an executor.

    Parameters
    ----------
    limits
        The account's.
    rules
        Of its blotter.
    leverage
        What contracts must have been set to at the exchange; `None` if it does not matter.
    margin
        How positions must be secured.
    reconcile_seconds
        From one comparison of a market with the exchange to the next.
    funding_seconds
        From one question for payments of funding to the next.
    leave_seconds
        How long to wait at the end until open entries are called off.

    """

    limits: AccountLimits = field(default_factory=AccountLimits)
    rules: Rules = field(default_factory=Rules)
    leverage: int | None = None
    margin: Margin = ""
    reconcile_seconds: float = 30.0
    funding_seconds: float = 300.0
    leave_seconds: float = 10.0
