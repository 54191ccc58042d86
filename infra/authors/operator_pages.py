"""The pages of docs/operators: one for each step, and one for each thing that steps take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import operators
from infra.authors.docstrings import Setting, Told, entries, flowing, properties, settings, told
from operators.averages import MovingAverages
from operators.candles import ThresholdCandles, TimeCandles
from operators.entries import Entries
from operators.entry import Entry
from operators.predict import Predict, relative
from operators.tape import run
from operators.trade import Trade
from schemas import DERIVED


class Step(NamedTuple):
    """A step, the machines behind it, and what those put on the tape."""

    operator: object
    machines: tuple[type, ...]
    adds: tuple[str, ...]


STEPS = {
    "candles": Step(operators.candles, (TimeCandles, ThresholdCandles), ("Candle",)),
    "averages": Step(operators.averages, (MovingAverages,), ("Averages",)),
    "predict": Step(operators.predict, (Predict,), ("Prediction", "Outcome", "Fault")),
    "entries": Step(operators.entries, (Entries,), ("Signal", "Fault")),
    "trade": Step(
        operators.trade,
        (Trade,),
        ("Order", "Fill", "Opened", "Closed", "Refused", "Halt", "Fault"),
    ),
    "run": Step(run, (), ()),
    "enter": Step(operators.enter, (Entry,), ("Late", "Repeated", "Gap", "Reject")),
    "conclude": Step(operators.conclude, (), ()),
}
TAKEN: dict[str, tuple[object, ...]] = {
    "signals": (
        operators.long, operators.short, operators.leave, operators.reverse,
        operators.quote, operators.base,
    ),
    "moment": (operators.Moment,),
    "barriers": (operators.Barriers,),
    "scaled": (operators.Scaled,),
    "costs": (operators.Costs,),
    "costlimit": (operators.CostLimit,),
    "limits": (operators.Limits,),
    "features": (relative,),
}  # fmt: skip
"""What steps take, and rules use, by its page."""

_BY_ITSELF = ("enter", "conclude")
_OURS = ("step_id", "tape", "self")


def operator_pages() -> dict[str, str]:
    """Return the text of each page, by its name."""
    pages = {name: "\n".join(_step(name, step)) for name, step in STEPS.items()}
    pages |= {name: "\n".join(_taken(name, things)) for name, things in TAKEN.items()}
    pages["README"] = "\n".join(_index())
    return pages


def _index() -> Iterator[str]:
    yield "# Operators\n"
    yield "What a flow is made of. These pages are made from the docstrings: `make docs`.\n"
    yield "| step | what it does | adds |\n|---|---|---|"
    for name, step in STEPS.items():
        adds = ", ".join(_event(kind) for kind in step.adds)
        yield f"| [`{name}`]({name}.md) | {_cell(told(step.operator).summary)} | {adds} |"
    said = " and ".join(f"`{name}`" for name in _BY_ITSELF)
    yield f"\n{said} stand around each flow by themselves; nobody writes them into one.\n"
    yield "| what steps take | |\n|---|---|"
    for name, things in TAKEN.items():
        named = ", ".join(f"`{_name(thing)}`" for thing in things)
        yield f"| [{named}]({name}.md) | {_cell(told(things[0]).summary)} |"
    events = "[from outside](../events/outside.md), [concluded](../events/derived.md)"
    yield f"\nThe events themselves: {events}.\n"


def _step(name: str, step: Step) -> Iterator[str]:
    says = told(step.operator)
    yield f"# {name}\n\n{says.summary}\n"
    if says.text and not says.text.startswith("See "):
        yield f"{says.text}\n"
    yield from _signature(name, settings(step.operator))
    where = says.sections.get("Parameters")
    if where is None and step.machines:
        where = told(step.machines[0]).sections.get("Parameters")
    yield from _table(settings(step.operator), where or "")
    yield from _more(says)
    if step.adds:
        yield f"It adds {', '.join(_event(kind) for kind in step.adds)}.\n"
    for machine in step.machines:
        yield from _machine(machine)
    yield _source(step.operator)


def _machine(machine: type) -> Iterator[str]:
    """Tell what works behind a step: the part of it that the tests look at alone."""
    says = told(machine)
    yield f"## {machine.__name__}\n\n{says.summary}\n"
    if says.text:
        yield f"{says.text}\n"
    reads = getattr(machine, "reads", None)
    if isinstance(reads, frozenset):
        names = sorted(kind.__name__ for kind in reads)
        yield f"It reads {', '.join(_event(kind) for kind in names)}; the rest passes it by.\n"
    yield from _more(says)


def _taken(name: str, things: Sequence[object]) -> Iterator[str]:
    if len(things) > 1:
        yield f"# {name}\n"
    for thing in things:
        says = told(thing)
        yield f"{'#' if len(things) == 1 else '##'} {_name(thing)}\n\n{says.summary}\n"
        if says.text:
            yield f"{says.text}\n"
        given = settings(thing)
        is_moment = thing is operators.Moment
        if not is_moment:
            yield from _signature(_name(thing), given)
        yield from _table(given, says.sections.get("Parameters", ""), always=is_moment)
        if is_moment:
            yield "| asks for | |\n|---|---|"
            yield from (f"| `{name}` | {_cell(said)} |" for name, said in properties(thing))  # type: ignore[arg-type]
            yield ""
        yield from _more(says)
    yield _source(things[0])


def _signature(name: str, given: Sequence[Setting]) -> Iterator[str]:
    yield f"```python\n{name}("
    for one in given:
        if one.name == "step_id":
            yield f'    "{name}",  # a name of its own in the flow'
        elif one.name == "tape":
            yield "    tape,"
        else:
            yield f"    {one.name}: {one.type}{f' = {one.default}' if one.default else ''},"
    yield ")\n```\n"


def _table(given: Sequence[Setting], said: str, *, always: bool = False) -> Iterator[str]:
    """Tell of the settings that somebody says something of; of those that belong together, once."""
    groups = entries(said) or [([one.name], one.says) for one in given if one.says or always]
    known = {one.name: one for one in given if one.name not in _OURS}
    rows = [([known[name] for name in names if name in known], text) for names, text in groups]
    if any(group for group, _ in rows):
        yield "| setting | type | default | |\n|---|---|---|---|"
        for group, text in rows:
            if group:
                names = ", ".join(f"`{one.name}`" for one in group)
                types, defaults = (
                    _once(one.type for one in group),
                    _once(one.default for one in group),
                )
                yield f"| {names} | {types} | {defaults} | {_cell(text)} |"
        yield ""


def _once(texts: Iterable[str]) -> str:
    """Return some pieces of code, each once."""
    return ", ".join(f"`{_cell(text)}`" for text in dict.fromkeys(texts) if text)


def _more(says: Told) -> Iterator[str]:
    for names, text in entries(says.sections.get("Raises", "")):
        yield f"It raises `{', '.join(names)}`: {text[0].lower()}{text[1:]}\n"
    if "Examples" in says.sections:
        yield f"```python\n{says.sections['Examples']}\n```\n"
    if "Notes" in says.sections:
        yield f"{flowing(says.sections['Notes'])}\n"


def _event(kind: str) -> str:
    derived = {one.__name__ for one in DERIVED}
    page = "derived" if kind in derived else "outside"
    return f"[`{kind}`](../events/{page}.md#{kind.lower()})"


def _source(thing: object) -> str:
    """Say where a thing is written, and tested."""
    file = f"{getattr(thing, '__module__', '').replace('.', '/')}.py"
    room, _, name = file.rpartition("/")
    twin = f"tests/{room}/test_{name}"
    return f"Source: [`{file}`](../../{file}); tests: [`{twin}`](../../{twin})\n"


def _name(thing: object) -> str:
    return str(getattr(thing, "__name__", thing))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
