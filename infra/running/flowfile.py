"""A flow file: one strategy, as its author wrote it."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from types import ModuleType

import operators
from infra.importing import undisturbed
from infra.whatif.hooks import HOOK, Panel, constants, hooked
from operators import Costs, Tape
from schemas.mendable import Mendable

_NOT_TAKEN = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument ")


class FlowError(Mendable, ValueError):
    """A flow file that cannot be used; its text says why, where and what to do."""


@dataclass(frozen=True)
class Flow:
    """A strategy and what its file says beside it."""

    name: str
    strategy: Callable[[Tape], Tape]
    costs: Costs
    code_version: str
    """A hash of the file."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What can be set in it by name, as it is written."""


def load(path: Path, panel: Panel | None = None) -> Flow:
    """Load a flow file.

    Parameters
    ----------
    path
        Where it is.
    panel
        By which its settings are seen, and set.

    Raises
    ------
    FlowError
        When there is no such file, or it raises, or has no `strategy`.

    """
    if not path.is_file():
        raise FlowError(f"{path}: no such flow file; {_there(path)}")
    source = path.read_bytes()
    module = _module(path, source, panel)
    strategy = getattr(module, "strategy", None)
    if not callable(strategy):
        msg = f"{path} has no function `strategy(tape: Tape) -> Tape`: see flows/sma_cross.py"
        raise FlowError(msg)
    costs = getattr(module, "COSTS", None)
    if costs is None:
        costs = Costs() if panel is None else panel.set("COSTS", Costs())
    if not isinstance(costs, Costs):
        msg = f"{path}: COSTS must be a Costs(...), not {costs!r}"
        raise FlowError(msg)
    version = hashlib.sha256(source).hexdigest()[:12]
    return Flow(path.stem, strategy, costs, version, constants(source, vars(module)))


def _there(path: Path) -> str:
    """Say which flow files there are, beside the one that is not or where flows are most often."""
    for directory in (path.parent, Path("flows")):
        found = {p.stem: str(p) for p in sorted(directory.glob("*.py")) if p.stem[0] != "_"}
        if meant := get_close_matches(path.stem, found, 1):
            return f"is it {found[meant[0]]}?"
        if found:
            return f"there are {', '.join(found.values())}"
    return "deck new NAME writes one"


def _module(path: Path, source: bytes, panel: Panel | None) -> ModuleType:
    # Models defined in a flow file are pickled by this name: it must be the same at each start,
    # and it must not hide another module, as a flow called `random` would.
    name = f"flows.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        msg = f"{path} is no Python file"
        raise FlowError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        # Not by the loader: its cache takes an edit of the same length and second for none.
        with undisturbed():
            code = source if panel is None else hooked(source, str(path))
            if panel is not None:
                panel.known = vars(module)
                setattr(module, HOOK, panel.set)
            exec(compile(code, path.absolute(), "exec"), vars(module))  # noqa: S102 - it is a flow
            if panel is not None:
                vars(module).update(panel.functions(vars(module)))
    except (Exception, SystemExit) as error:
        raise FlowError(explain(path, error)) from error
    return module


def explain(path: Path, error: BaseException) -> str:
    """Return what went wrong in a flow file, with the line of it that did."""
    line = line_of(path, error)
    where = f"{path}, line {line}" if line else str(path)
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{where}: {type(error).__name__}{f': {text}' if text else ''}{_taken(text)}"


def _taken(text: str) -> str:
    """Say what a part of ours takes, if it was given something else."""
    found = _NOT_TAKEN.match(text)
    part = getattr(operators, found[1], None) if found else None
    return f"; it takes {', '.join(signature(part).parameters)}" if part is not None else ""


def line_of(path: Path, error: BaseException) -> int | None:
    """Return the line of a flow file that an error comes from, if it does."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == path.absolute():
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
