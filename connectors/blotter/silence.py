"""The dead man's switch: what becomes of what a flow has when it gives no sign of life."""

from __future__ import annotations

from connectors.blotter.pages import Case, Pages
from connectors.blotter.rules import Rules
from connectors.blotter.slips import call_off
from schemas import SECOND, Time


class Silence:
    """Watches the flows that were seen alive at least once.

    Parameters
    ----------
    pages
        What is open.
    rules
        How long a flow may be silent, and what happens then.

    """

    def __init__(self, pages: Pages, rules: Rules) -> None:
        self.pages, self.rules = pages, rules
        self.markets: dict[tuple[str, str], list[str]] = {}
        """Where flows said they may hold something."""
        self._heard: dict[tuple[str, str], Time] = {}
        self._quiet: set[tuple[str, str]] = set()

    def resume(self, now: Time) -> None:
        """Wait for the flows that were seen alive before the start."""
        self._heard = dict.fromkeys(self.pages.outbox.flows(), now)

    def heard(self, flow: str, run: str, now: Time) -> None:
        """Note a sign of life."""
        if (flow, run) not in self._heard:
            self.pages.outbox.put_flow(flow, run)
        self._heard[flow, run] = now

    def knows(self, flow: str, run: str) -> bool:
        """Tell whether a flow was seen alive before."""
        return (flow, run) in self._heard

    def silent(self, now: Time) -> list[Case]:
        """Return the cases of silent flows, with their entries to be called off."""
        cases = []
        for case in list(self.pages.cases.values()):
            holding = case.holding
            silence = self._silence(holding.flow, holding.run, now)
            if not silence:
                continue
            why = f"no sign of life from {holding.flow} for {silence // SECOND} s"
            entry = case.slip("enter")
            if entry is not None:
                call_off(entry, why, now)
            if self.rules.on_silence == "flatten":
                holding.leave(why, now)
            cases.append(case)
        return cases

    def quiet(self, now: Time) -> set[str]:
        """Return the flows that fell silent while something of theirs was open, and still are."""
        open_ = {(case.holding.flow, case.holding.run) for case in self.pages.cases.values()}
        self._quiet = {whose for whose in self._quiet | open_ if self._silence(*whose, now)}
        return {flow for flow, _ in self._quiet}

    def _silence(self, flow: str, run: str, now: Time) -> Time:
        """Return how long a flow has been silent, if that is too long; 0 if not."""
        heard = self._heard.get((flow, run))
        return 0 if heard is None or now - heard < self.rules.silence else now - heard
