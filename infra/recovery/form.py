"""What a recovery store is made for, and what is said where a run is another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.running.problems import AFRESH

_BROKER = "--broker"


@dataclass(frozen=True)
class Form:
    """What a store is made for. A run of another form is refused."""

    flow: str
    processes: int
    events: bool
    """Whether derived events are kept for `--events`."""
    history: bool
    source: str
    """The option that says where its tape is read."""
    options: dict[str, str]
    """What else decides which tape it is."""
    steps: dict[str, str] = field(default_factory=dict)
    """The shape of each step, by its name in the store."""


def differs(name: str, was: object, is_: object) -> str:
    """Say what differs, and how to have it again."""
    if name in ("events", "history"):
        option = "--events" if name == "events" else "--no-history"
        with_it = bool(was) == (name == "events")
        made = f"was made with{'' if with_it else 'out'} {option}"
        return f"{made}: {'give it' if with_it else 'leave it out'}"
    if name == "options" and isinstance(was, dict) and isinstance(is_, dict):
        return _differing_option(was, is_)
    if name == "flow":
        return f"belongs to the flow {was}, not {is_}: run {was}"
    if name == "source":
        return f"was made with {was}, not {is_}: give it {was}"
    return f"was made with {name} {was}, and this is {is_}: use {name} {was}"


def _differing_option(was: Mapping[str, str], is_: Mapping[str, str]) -> str:
    """Say which option was another one; a run that trades, and a replay, are not each other."""
    option = next(option for option in {**was, **is_} if was.get(option) != is_.get(option))
    if (_BROKER in was) != (_BROKER in is_):
        made = f"deck trade --broker {was[_BROKER]}" if _BROKER in was else "deck replay"
        return f"was made by {made}: go on with that"
    return f"was made with {option} {was.get(option) or 'of nothing'}: give it the same"


def step_differs(was: Mapping[str, str], is_: Mapping[str, str]) -> str:
    """Say which step is another one, and what can be done."""
    step = next(name for name in {**is_, **was} if was.get(name) != is_.get(name))
    name = step.split(".")[1]
    if step not in is_:
        what = f"step {name!r} was kept, and the flow has none now"
    elif step not in was:
        what = f"step {name!r} is new in the flow"
    else:
        what = f"step {name!r} was kept with {was[step]} and is now {is_[step]}"
    return (
        f"{what}: give the flow its former settings, or take its positions over with --adopt, or "
        f"begin anew with --afresh while it is flat, or {AFRESH}"
    )
