"""Who may enter: `active`, `reducing` or `halted`, for the account and for flows and markets."""

from __future__ import annotations

from typing import NamedTuple

_RANK = {"active": 0, "reducing": 1, "halted": 2}
_COMMANDS = {"halt": "halted", "reduce": "reducing", "flatten": "reducing"}


class Scope(NamedTuple):
    """What a mode is for; empty means all."""

    flow: str
    market: str

    def holds(self, other: Scope) -> bool:
        """Tell whether another scope is part of this one.

        Examples
        --------
        >>> Scope("demo", "").holds(Scope("demo", "okx:A/B"))
        True

        """
        return self.flow in {"", other.flow} and self.market in {"", other.market}


class Mode(NamedTuple):
    """What may be done: all, nothing but exits, or no entry at all; and why."""

    mode: str
    why: str


_ACTIVE = Mode("active", "")


class Modes:
    """The modes of an account, each for its scope; the strictest counts.

    Parameters
    ----------
    kept
        Those that are not active.

    Examples
    --------
    >>> modes = Modes({})
    >>> modes.set(Scope("", ""), Mode("reducing", "by me"))
    >>> modes.set(Scope("demo", ""), Mode("halted", "by you"))
    >>> modes.of("demo", "okx:A/B").mode, modes.of("other", "okx:A/B").mode
    ('halted', 'reducing')
    >>> modes.clear(Scope("demo", "")), modes.of("demo", "okx:A/B").mode
    ([Scope(flow='demo', market='')], 'reducing')

    """

    def __init__(self, kept: dict[Scope, Mode]) -> None:
        self.kept = kept

    def of(self, flow: str, market: str) -> Mode:
        """Return what a flow may do in a market."""
        here = Scope(flow, market)
        modes = (mode for scope, mode in self.kept.items() if scope.holds(here))
        return max(modes, key=lambda mode: _RANK[mode.mode], default=_ACTIVE)

    def set(self, scope: Scope, mode: Mode) -> None:
        """Let a mode be that of a scope."""
        self.kept[scope] = mode

    def clear(self, scope: Scope) -> list[Scope]:
        """Let a scope be active, with all in it; return what was not. What is wider stays."""
        cleared = [known for known in self.kept if scope.holds(known)]
        for known in cleared:
            del self.kept[known]
        return cleared


def commanded(action: str) -> str | None:
    """Return the mode that a command brings about, if any.

    Examples
    --------
    >>> commanded("flatten"), commanded("close")
    ('reducing', None)

    """
    return _COMMANDS.get(action)
