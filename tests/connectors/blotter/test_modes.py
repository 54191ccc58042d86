"""Modes: the strictest counts, and who takes one back takes back no wider one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.blotter.modes import Mode, Modes, Scope, commanded

SCOPES = st.builds(Scope, st.sampled_from(["", "a", "b"]), st.sampled_from(["", "x", "y"]))
MODES = st.builds(Mode, st.sampled_from(["reducing", "halted"]), st.text(max_size=3))
RANK = {"active": 0, "reducing": 1, "halted": 2}


@given(st.dictionaries(SCOPES, MODES), st.sampled_from("ab"), st.sampled_from("xy"))
def test_the_strictest_mode_of_all_that_a_flow_is_in_counts(
    kept: dict[Scope, Mode], flow: str, market: str
) -> None:
    around = [Scope("", ""), Scope(flow, ""), Scope("", market), Scope(flow, market)]
    worst = max((RANK[kept[scope].mode] for scope in around if scope in kept), default=0)
    assert RANK[Modes(kept).of(flow, market).mode] == worst


@given(st.dictionaries(SCOPES, MODES), SCOPES)
def test_what_is_cleared_is_all_within_and_nothing_wider(
    kept: dict[Scope, Mode], scope: Scope
) -> None:
    modes = Modes(dict(kept))
    cleared = modes.clear(scope)
    for known in kept:
        within = (scope.flow in ("", known.flow)) and (scope.market in ("", known.market))
        assert (known in cleared) == within == (known not in modes.kept)


def test_a_command_brings_about_a_mode_or_none() -> None:
    commands = ("halt", "reduce", "flatten", "close", "resume")
    assert [commanded(c) for c in commands] == ["halted", "reducing", "reducing", None, None]
