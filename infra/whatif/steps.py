"""Steps that cells have in common, each taken once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from infra.whatif.prints import Print, print_of
from infra.whatif.tried import Tried
from operators.tape import Machine, Strip


@dataclass
class Step:
    """A step that some cells have in common, and what they have behind it."""

    make: Callable[[], Machine]
    behind: list[Step] = field(default_factory=list)
    ends: list[Tried] = field(default_factory=list)
    machines: dict[str, Machine] = field(default_factory=dict)

    def take(self, market: str, strip: Strip) -> Strip:
        """Let all from here on read what comes next on a market's tape; return what this gave.

        If a machine fails, so do its cells, and no others.
        """
        machine = self.machines.get(market)
        if machine is None:
            machine = self.machines[market] = self.make()
        try:
            out = _through(machine, strip)
        except Exception as error:  # noqa: BLE001 - whatever it is: the other cells go on
            self._fail(f"{market}: {type(error).__name__}: {error}")
            return []
        for end in self.ends:
            end.take(market, out)
        for step in self.behind:
            step.take(market, out)
        return out

    def count(self) -> int:
        """Return how many steps there are from here on."""
        return 1 + sum(step.count() for step in self.behind)

    def _fail(self, why: str) -> None:
        for end in self.ends:
            end.error = end.error or why
        for step in self.behind:
            step._fail(why)
        self.behind, self.ends = [], []


def _through(machine: Machine, strip: Strip) -> Strip:
    """Let a machine read a strip, as the engine does."""
    reads, out = machine.reads, Strip()
    for event in strip:
        if type(event) in reads:
            out.extend(machine(event))
        else:
            out.append(event)
    return out


def grown(cells: Sequence[tuple[Sequence[Callable[[], Machine]], Tried]]) -> list[Step]:
    """Return the steps of some cells, each step that several begin with only once.

    Parameters
    ----------
    cells
        What makes the machine of each step, and what takes note of what comes out.

    """
    groups: dict[Print, tuple[Step, list[tuple[Sequence[Callable[[], Machine]], Tried]]]] = {}
    looked_at = []  # a print may hold the id of what would be gone else, and used again
    for (make, *rest), end in cells:
        machine = make()
        looked_at.append(machine)
        step, members = groups.setdefault(print_of(machine), (Step(make), []))
        if rest:
            members.append((rest, end))
        else:
            step.ends.append(end)
    for step, members in groups.values():
        step.behind = grown(members)
    return [step for step, _ in groups.values()]
