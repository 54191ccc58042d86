"""What is other in a run than in the flow file: what was set, from when on, and after which run."""

from __future__ import annotations

from dataclasses import dataclass

from infra.whatif.knobs import Changes
from operators import Costs
from schemas import Time


@dataclass(frozen=True)
class Fork:
    """A run with other settings than its flow file has. It pickles, as the job that it is part of.

    Parameters
    ----------
    parent
        The run that it is to be compared with; empty if there is none.
    changes
        What is set, in all.
    at
        The tape time from which on it is; None is from the start.
    former, former_costs
        What was set until then.
    was
        What was there before, of what is set beside that.
    kind
        What the table of runs calls it.

    """

    parent: str = ""
    changes: Changes = ()
    at: Time | None = None
    former: Changes = ()
    former_costs: Costs = Costs()  # noqa: RUF009 - a constant
    was: Changes = ()
    kind: str = "fork"
